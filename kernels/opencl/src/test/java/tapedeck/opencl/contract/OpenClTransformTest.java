package tapedeck.opencl.contract;

import tapedeck.ad.testkit.TransformTests;

class OpenClTransformTest extends TransformTests {
  @Override
  protected String device() {
    return "opencl:0";
  }
}
