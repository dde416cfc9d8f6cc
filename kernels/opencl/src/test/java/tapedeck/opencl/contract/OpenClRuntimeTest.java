package tapedeck.opencl.contract;

import tapedeck.ad.testkit.RuntimeTests;

class OpenClRuntimeTest extends RuntimeTests {
  @Override
  protected String device() {
    return "opencl:0";
  }
}
