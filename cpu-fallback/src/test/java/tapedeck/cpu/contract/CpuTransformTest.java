package tapedeck.cpu.contract;

import tapedeck.ad.testkit.TransformTests;

class CpuTransformTest extends TransformTests {
  @Override
  protected String device() {
    return "cpu";
  }
}
