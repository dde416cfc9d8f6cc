/** OpenCL backend of Tapedeck: GPUs of any vendor, and CPU devices such as PoCL's. */
module tapedeck.opencl {
  requires transitive tapedeck.engine;
  requires com.fasterxml.jackson.core;
  requires jocl;

  exports tapedeck.opencl;
  exports tapedeck.opencl.tuning;

  provides tapedeck.ad.backend.BackendProvider with
      tapedeck.opencl.OpenClProvider;
}
