package tapedeck.opencl.render;

/**
 * Matrix multiply-add of a warp of 32 work-items on a device, (16,8) x (8,8) in TensorFloat-32 with
 * float32 sums. Work-item {@code l} holds, with g = l / 4 and t = l % 4, the elements (g, t), (g +
 * 8, t), (g, t + 4), (g + 8, t + 4) of the left operand, (t, g), (t + 4, g) of the right one and
 * (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1) of the sums (PTX ISA, matrix fragments for
 * mma.m16n8k8).
 */
public enum TensorCores {
  /** There is none. */
  NONE,
  /** Inline PTX of NVIDIA's OpenCL compiler, for compute capability 8.0 and up. */
  PTX,
  /**
   * Plain OpenCL C with the same layout of operands, for tests on any device: it makes every index
   * of a kernel testable, and nothing faster.
   */
  EMULATED;

  /** Elements of local memory that the emulation needs for each warp. */
  static final int EXCHANGE = 16 * 8 + 8 * 8;

  private static final String ROUND_PTX =
      """
      float td_tf32(float x) {
        uint r;
        asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(x));
        return as_float(r);
      }
      """;

  // NB: volatile, or the compiler may move it into a branch that only some of a warp take.
  private static final String MMA_PTX =
      """
      float4 td_mma(float4 a, float2 b, float4 c) {
        float c0 = c.s0, c1 = c.s1, c2 = c.s2, c3 = c.s3;
        asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
            "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
            : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
            : "r"(as_uint(a.s0)), "r"(as_uint(a.s1)), "r"(as_uint(a.s2)), "r"(as_uint(a.s3)),
              "r"(as_uint(b.s0)), "r"(as_uint(b.s1)));
        return (float4)(c0, c1, c2, c3);
      }
      """;

  private static final String ROUND_PLAIN =
      """
      float td_tf32(float x) {
        return as_float((as_uint(x) + 0x1000u) & 0xffffe000u);
      }
      """;

  // Tensor cores ignore the 13 low bits of an operand.
  private static final String MMA_PLAIN =
      """
      float td_cut(float x) {
        return as_float(as_uint(x) & 0xffffe000u);
      }
      float4 td_mma(float4 a, float2 b, float4 c, __local float *x, int lane) {
        const int g = lane / 4;
        const int t = lane % 4;
        __local float *y = x + 16 * 8;
        x[g * 8 + t] = td_cut(a.s0);
        x[(g + 8) * 8 + t] = td_cut(a.s1);
        x[g * 8 + t + 4] = td_cut(a.s2);
        x[(g + 8) * 8 + t + 4] = td_cut(a.s3);
        y[t * 8 + g] = td_cut(b.s0);
        y[(t + 4) * 8 + g] = td_cut(b.s1);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int k = 0; k < 8; k++) {
          c.s0 += x[g * 8 + k] * y[k * 8 + 2 * t];
          c.s1 += x[g * 8 + k] * y[k * 8 + 2 * t + 1];
          c.s2 += x[(g + 8) * 8 + k] * y[k * 8 + 2 * t];
          c.s3 += x[(g + 8) * 8 + k] * y[k * 8 + 2 * t + 1];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        return c;
      }
      """;

  private static final String ROUND_VECTORS =
      """
      float2 td_tf32_2(float2 v) {
        return (float2)(td_tf32(v.s0), td_tf32(v.s1));
      }
      float4 td_tf32_4(float4 v) {
        return (float4)(td_tf32(v.s0), td_tf32(v.s1), td_tf32(v.s2), td_tf32(v.s3));
      }
      """;

  /** Functions that a kernel's text calls; several kernels of a program may bring them. */
  public String functions() {
    String text =
        switch (this) {
          case NONE -> throw new IllegalStateException("a device without tensor cores");
          case PTX -> ROUND_PTX + MMA_PTX;
          case EMULATED -> ROUND_PLAIN + MMA_PLAIN;
        };
    return "#ifndef TD_MMA\n#define TD_MMA\n" + text + ROUND_VECTORS + "#endif\n";
  }

  /** A value of 1, 2 or 4 lanes rounded to TensorFloat-32, to nearest with ties away from zero. */
  static String round(String value, int lanes) {
    return "td_tf32" + (lanes > 1 ? "_" + lanes : "") + "(" + value + ")";
  }

  /** The sums after a step, from the fragments that a work-item of the warp holds. */
  String multiplyAdd(String a, String b, String sums) {
    String exchange = this == EMULATED ? ", xs + warp * " + EXCHANGE + ", lane" : "";
    return "td_mma(" + a + ", " + b + ", " + sums + exchange + ")";
  }
}
