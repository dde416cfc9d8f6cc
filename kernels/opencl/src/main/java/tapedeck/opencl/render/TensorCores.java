package tapedeck.opencl.render;

/**
 * Matrix multiply-add of a warp of 32 work-items on a device with float32 sums: (16,8) x (8,8) in
 * TensorFloat-32, or (16,16) x (16,8) in bfloat16, where a word of 32 bits holds two elements that
 * are neighbours along k. Work-item {@code l} holds, with g = l / 4 and t = l % 4, the words (g,
 * t), (g + 8, t), (g, t + 4), (g + 8, t + 4) of the left operand, (t, g), (t + 4, g) of the right
 * one and (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1) of the sums (PTX ISA, matrix fragments
 * for mma.m16n8k8 and mma.m16n8k16).
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

  /** Words of local memory that the emulation needs for each warp. */
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

  // The first operand of cvt is the upper half.
  private static final String PACK_PTX =
      """
      uint td_bf16(float low, float high) {
        uint r;
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
        return r;
      }
      """;

  private static final String MMA_BF16_PTX =
      """
      float4 td_mma_bf16(uint4 a, uint2 b, float4 c) {
        float c0 = c.s0, c1 = c.s1, c2 = c.s2, c3 = c.s3;
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
            "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
            : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
            : "r"(a.s0), "r"(a.s1), "r"(a.s2), "r"(a.s3), "r"(b.s0), "r"(b.s1));
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

  // To nearest, ties to even.
  private static final String PACK_PLAIN =
      """
      uint td_half(float x) {
        const uint u = as_uint(x);
        return isnan(x) ? 0x7fffu : (u + 0x7fffu + (u >> 16 & 1u)) >> 16;
      }
      uint td_bf16(float low, float high) {
        return td_half(low) | td_half(high) << 16;
      }
      """;

  private static final String MMA_BF16_PLAIN =
      """
      float td_dot(float c, uint a, uint b) {
        c += as_float(a << 16) * as_float(b << 16);
        return c + as_float(a & 0xffff0000u) * as_float(b & 0xffff0000u);
      }
      float4 td_mma_bf16(uint4 a, uint2 b, float4 c, __local uint *x, int lane) {
        const int g = lane / 4;
        const int t = lane % 4;
        __local uint *y = x + 16 * 8;
        x[g * 8 + t] = a.s0;
        x[(g + 8) * 8 + t] = a.s1;
        x[g * 8 + t + 4] = a.s2;
        x[(g + 8) * 8 + t + 4] = a.s3;
        y[t * 8 + g] = b.s0;
        y[(t + 4) * 8 + g] = b.s1;
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int k = 0; k < 8; k++) {
          c.s0 = td_dot(c.s0, x[g * 8 + k], y[k * 8 + 2 * t]);
          c.s1 = td_dot(c.s1, x[g * 8 + k], y[k * 8 + 2 * t + 1]);
          c.s2 = td_dot(c.s2, x[(g + 8) * 8 + k], y[k * 8 + 2 * t]);
          c.s3 = td_dot(c.s3, x[(g + 8) * 8 + k], y[k * 8 + 2 * t + 1]);
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

  /**
   * Functions that a kernel's text calls; several kernels of a program may bring them.
   *
   * @param bfloat16 those for bfloat16 instead of those for TensorFloat-32
   */
  public String functions(boolean bfloat16) {
    String text =
        switch (this) {
          case NONE -> throw new IllegalStateException("a device without tensor cores");
          case PTX -> bfloat16 ? PACK_PTX + MMA_BF16_PTX : ROUND_PTX + MMA_PTX + ROUND_VECTORS;
          case EMULATED ->
              bfloat16 ? PACK_PLAIN + MMA_BF16_PLAIN : ROUND_PLAIN + MMA_PLAIN + ROUND_VECTORS;
        };
    String guard = bfloat16 ? "TD_MMA_BF16" : "TD_MMA";
    return "#ifndef " + guard + "\n#define " + guard + "\n" + text + "#endif\n";
  }

  /** A value of 1, 2 or 4 lanes rounded to TensorFloat-32, to nearest with ties away from zero. */
  static String round(String value, int lanes) {
    return "td_tf32" + (lanes > 1 ? "_" + lanes : "") + "(" + value + ")";
  }

  /** Two float32 values as a word of bfloat16, the first one in its lower half. */
  static String pack(String low, String high) {
    return "td_bf16(" + low + ", " + high + ")";
  }

  /** The sums after a step, from the fragments that a work-item of the warp holds. */
  String multiplyAdd(boolean bfloat16, String a, String b, String sums) {
    String exchange = this == EMULATED ? ", xs + warp * " + EXCHANGE + ", lane" : "";
    return (bfloat16 ? "td_mma_bf16(" : "td_mma(") + a + ", " + b + ", " + sums + exchange + ")";
  }
}
