package tapedeck.cpu.contract;

import tapedeck.ad.testkit.RuntimeTests;

class InterpRuntimeTest extends RuntimeTests {
  @Override
  protected String device() {
    return "interp";
  }
}
