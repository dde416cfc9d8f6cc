package tapedeck.cpu.contract;

import tapedeck.ad.testkit.ErrorTests;

class InterpErrorTest extends ErrorTests {
  @Override
  protected String device() {
    return "interp";
  }
}
