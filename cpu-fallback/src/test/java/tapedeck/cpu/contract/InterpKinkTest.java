package tapedeck.cpu.contract;

import tapedeck.ad.testkit.KinkTests;

class InterpKinkTest extends KinkTests {
  @Override
  protected String device() {
    return "interp";
  }
}
