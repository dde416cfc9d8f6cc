package tapedeck.tornado.contract;

import tapedeck.ad.testkit.RuntimeTests;

class TornadoRuntimeTest extends RuntimeTests {
  @Override
  protected String device() {
    return "tornado:0";
  }
}
