package tapedeck.opencl.contract;

import tapedeck.ad.testkit.KinkTests;

class OpenClKinkTest extends KinkTests {
  @Override
  protected String device() {
    return "opencl:0";
  }
}
