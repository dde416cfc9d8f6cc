package tapedeck.opencl.render;

/**
 * One kernel as OpenCL C.
 *
 * @param entry name of the entry point, derived from the text: equal texts have equal names
 * @param source the kernel function, without the program's preamble
 * @param global work-items in each dimension
 * @param local work-group size in each dimension
 * @param strategy which form was chosen, for dumps, profiles and tests
 * @param float64 whether the text uses double
 */
public record Rendered(
    String entry, String source, long[] global, long[] local, String strategy, boolean float64) {

  /** First lines of every program. Contraction is off so that every backend rounds alike. */
  public static String preamble(boolean float64) {
    return (float64
            ? "#if __OPENCL_C_VERSION__ < 120\n"
                + "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n#endif\n"
            : "")
        + "#pragma OPENCL FP_CONTRACT OFF\n";
  }
}
