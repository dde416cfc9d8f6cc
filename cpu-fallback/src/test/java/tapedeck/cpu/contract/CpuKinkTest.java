package tapedeck.cpu.contract;

import tapedeck.ad.testkit.KinkTests;

class CpuKinkTest extends KinkTests {
  @Override
  protected String device() {
    return "cpu";
  }
}
