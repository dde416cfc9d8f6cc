package tapedeck.cpu.contract;

import tapedeck.ad.testkit.ErrorTests;

class CpuErrorTest extends ErrorTests {
  @Override
  protected String device() {
    return "cpu";
  }
}
