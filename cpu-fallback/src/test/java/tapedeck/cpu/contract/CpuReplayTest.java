package tapedeck.cpu.contract;

import tapedeck.ad.testkit.ReplayTests;

class CpuReplayTest extends ReplayTests {
  @Override
  protected String device() {
    return "cpu";
  }
}
