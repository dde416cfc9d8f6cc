package tapedeck.opencl.contract;

import tapedeck.ad.testkit.ReplayTests;

class OpenClReplayTest extends ReplayTests {
  @Override
  protected String device() {
    return "opencl:0";
  }
}
