package tapedeck.cpu.contract;

import tapedeck.ad.testkit.RuntimeTests;

class CpuRuntimeTest extends RuntimeTests {
  @Override
  protected String device() {
    return "cpu";
  }
}
