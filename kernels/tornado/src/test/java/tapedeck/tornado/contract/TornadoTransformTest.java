package tapedeck.tornado.contract;

import tapedeck.ad.testkit.TransformTests;

class TornadoTransformTest extends TransformTests {
  @Override
  protected String device() {
    return "tornado:0";
  }
}
