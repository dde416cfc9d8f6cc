package tapedeck.opencl.contract;

import tapedeck.ad.testkit.ErrorTests;

class OpenClErrorTest extends ErrorTests {
  @Override
  protected String device() {
    return "opencl:0";
  }
}
