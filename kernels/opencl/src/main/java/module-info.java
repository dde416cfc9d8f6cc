/** OpenCL backend of Tapedeck: GPUs of any vendor, and CPU devices such as PoCL's. */
module tapedeck.opencl {
  requires transitive tapedeck.engine;
  requires jocl;

  exports tapedeck.opencl;

  provides tapedeck.ad.backend.BackendProvider with
      tapedeck.opencl.OpenClProvider;
}
