package tapedeck.tornado.contract;

import tapedeck.ad.testkit.ErrorTests;

class TornadoErrorTest extends ErrorTests {
  @Override
  protected String device() {
    return "tornado:0";
  }
}
