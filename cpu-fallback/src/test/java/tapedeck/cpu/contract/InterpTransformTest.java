package tapedeck.cpu.contract;

import tapedeck.ad.testkit.TransformTests;

class InterpTransformTest extends TransformTests {
  @Override
  protected String device() {
    return "interp";
  }
}
