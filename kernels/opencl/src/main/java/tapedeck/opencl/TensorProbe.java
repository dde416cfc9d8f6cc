package tapedeck.opencl;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_device_id;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;
import org.jocl.cl_program;
import tapedeck.opencl.render.TensorCores;

/**
 * Finds out whether a device's compiler takes inline PTX for tensor cores and the results are
 * right: one warp multiplies small integers in TensorFloat-32 and in bfloat16. The answer is kept
 * in the program cache.
 */
final class TensorProbe {
  private static final int RESULTS = 2 * 16 * 8;

  private static final String KERNEL =
      """
      __kernel __attribute__((reqd_work_group_size(32, 1, 1))) void probe(__global float *out) {
        const int lane = (int)get_local_id(0);
        const int g = lane / 4;
        const int t = lane % 4;
      #define A(i, k) td_tf32((float)((i) * 3 + (k) * 5 - 20))
      #define B(k, j) td_tf32((float)((k) * 7 - (j) * 2))
        const float4 a = (float4)(A(g, t), A(g + 8, t), A(g, t + 4), A(g + 8, t + 4));
        const float2 b = (float2)(B(t, g), B(t + 4, g));
        const float4 c = td_mma(a, b, (float4)(1.0f));
        out[g * 8 + 2 * t] = c.s0;
        out[g * 8 + 2 * t + 1] = c.s1;
        out[(g + 8) * 8 + 2 * t] = c.s2;
        out[(g + 8) * 8 + 2 * t + 1] = c.s3;
      #define AA(i, k) td_bf16((float)(2 * (i) + 4 * (k) - 20), (float)(2 * (i) + 4 * (k) - 18))
      #define BB(k, j) td_bf16((float)(6 * (k) - (j) * 2), (float)(6 * (k) + 3 - (j) * 2))
        const uint4 aa = (uint4)(AA(g, t), AA(g + 8, t), AA(g, t + 4), AA(g + 8, t + 4));
        const uint2 bb = (uint2)(BB(t, g), BB(t + 4, g));
        const float4 d = td_mma_bf16(aa, bb, (float4)(1.0f));
        out[128 + g * 8 + 2 * t] = d.s0;
        out[128 + g * 8 + 2 * t + 1] = d.s1;
        out[128 + (g + 8) * 8 + 2 * t] = d.s2;
        out[128 + (g + 8) * 8 + 2 * t + 1] = d.s3;
      }
      """;

  private TensorProbe() {}

  /** The probe's program. */
  static String source() {
    return TensorCores.PTX.functions(false) + TensorCores.PTX.functions(true) + KERNEL;
  }

  private static float[] expected() {
    float[] out = new float[RESULTS];
    for (int i = 0; i < 16; i++) {
      for (int j = 0; j < 8; j++) {
        float sum = 1;
        for (int k = 0; k < 8; k++) {
          sum += (i * 3 + k * 5 - 20) * (k * 7 - j * 2);
        }
        out[i * 8 + j] = sum;
        sum = 1;
        for (int k = 0; k < 16; k++) {
          sum += (2 * i + 2 * k - 20) * (3 * k - j * 2);
        }
        out[16 * 8 + i * 8 + j] = sum;
      }
    }
    return out;
  }

  /** Why the device's tensor cores cannot be used; empty where they can. */
  static String problem(cl_context context, cl_command_queue queue, Description d) {
    BinaryCache cache = new BinaryCache(d.identity());
    String key = cache.key("tensor cores: " + source());
    return cache
        .load(key)
        .map(answer -> new String(answer, StandardCharsets.UTF_8).strip())
        .orElseGet(
            () -> {
              String found = run(context, queue, d.id());
              // The cache keeps nothing that is empty.
              cache.store(key, (found + "\n").getBytes(StandardCharsets.UTF_8));
              return found;
            });
  }

  /**
   * What goes wrong when it is built and run, empty for nothing; a device that cannot is not an
   * error.
   */
  static String run(cl_context context, cl_command_queue queue, cl_device_id device) {
    int[] status = new int[1];
    float[] out = new float[RESULTS];
    cl_program program =
        CL.clCreateProgramWithSource(context, 1, new String[] {source()}, null, status);
    Cl.check(status[0], "clCreateProgramWithSource of the tensor core probe");
    try {
      cl_device_id[] one = {device};
      if (CL.clBuildProgram(program, 1, one, "-cl-std=CL1.2", null, null) != CL.CL_SUCCESS) {
        return "the compiler says: "
            + Programs.log(program, device)
                .lines()
                .filter(l -> l.contains("error"))
                .findFirst()
                .orElse("it does not build");
      }
      cl_kernel kernel = CL.clCreateKernel(program, "probe", status);
      Cl.check(status[0], "clCreateKernel of the tensor core probe");
      cl_mem mem = CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE, 4L * out.length, null, status);
      try {
        Cl.check(status[0], "clCreateBuffer of the tensor core probe");
        Cl.check(CL.clSetKernelArg(kernel, 0, Sizeof.cl_mem, Pointer.to(mem)), "clSetKernelArg");
        long[] size = {32};
        Pointer host = Pointer.to(out);
        int ran = CL.clEnqueueNDRangeKernel(queue, kernel, 1, null, size, size, 0, null, null);
        if (ran == CL.CL_SUCCESS) {
          ran = CL.clEnqueueReadBuffer(queue, mem, true, 0, 4L * out.length, host, 0, null, null);
        }
        return ran != CL.CL_SUCCESS
            ? "it does not run: " + Cl.name(ran)
            : Arrays.equals(out, expected()) ? "" : "its results are wrong";
      } finally {
        if (mem != null) {
          Cl.released(CL.clReleaseMemObject(mem));
        }
        Cl.released(CL.clReleaseKernel(kernel));
      }
    } finally {
      Cl.released(CL.clReleaseProgram(program));
    }
  }
}
