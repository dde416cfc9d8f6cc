package tapedeck.cpu.contract;

import tapedeck.ad.testkit.ReplayTests;

class InterpReplayTest extends ReplayTests {
  @Override
  protected String device() {
    return "interp";
  }
}
