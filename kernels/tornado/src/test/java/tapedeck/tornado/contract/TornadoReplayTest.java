package tapedeck.tornado.contract;

import tapedeck.ad.testkit.ReplayTests;

class TornadoReplayTest extends ReplayTests {
  @Override
  protected String device() {
    return "tornado:0";
  }
}
