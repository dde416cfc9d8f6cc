package tapedeck.tornado.contract;

import tapedeck.ad.testkit.KinkTests;

class TornadoKinkTest extends KinkTests {
  @Override
  protected String device() {
    return "tornado:0";
  }
}
