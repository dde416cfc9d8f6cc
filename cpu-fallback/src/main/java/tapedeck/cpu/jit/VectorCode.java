package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.type.DType;

/**
 * Emits calls of {@link Vec} for operands on the stack, by element type and lanes of the kernel.
 */
final class VectorCode {
  private static final ClassDesc FLOATS = ClassDesc.of("jdk.incubator.vector.FloatVector");
  private static final ClassDesc DOUBLES = ClassDesc.of("jdk.incubator.vector.DoubleVector");
  private static final ClassDesc INTS = ClassDesc.of("jdk.incubator.vector.IntVector");
  static final ClassDesc MASKS = ClassDesc.of("jdk.incubator.vector.VectorMask");

  private final Asm asm;
  private final CodeBuilder code;
  private final boolean half;

  /** Lanes of a vector. */
  final int lanes;

  VectorCode(Asm asm, boolean half) {
    this.asm = asm;
    this.code = asm.code;
    this.half = half;
    this.lanes = half ? Vec.LANES_H : Vec.LANES;
  }

  static ClassDesc vector(DType t) {
    return switch (t) {
      case FLOAT32 -> FLOATS;
      case FLOAT64 -> DOUBLES;
      case INT32 -> INTS;
      case BOOL -> MASKS;
    };
  }

  static String typed(String what, DType t) {
    return what
        + switch (t) {
          case FLOAT32 -> "F32";
          case FLOAT64 -> "F64";
          case INT32 -> "I32";
          case BOOL -> "Bool";
        };
  }

  /** Name of a helper whose lanes depend on the kernel. */
  String sized(String name, DType t) {
    return half && t != DType.FLOAT64 ? name + "h" : name;
  }

  void vec(String name, ClassDesc result, ClassDesc... args) {
    asm.call(Vec.class, name, result, args);
  }

  void instruction(Expr.Apply a, DType in) {
    String name = a.op().name().toLowerCase(java.util.Locale.ROOT);
    ClassDesc v = vector(in);
    switch (a.op()) {
      case LT, LE, EQ, NE -> vec(half ? name + "h" : name, MASKS, v, v);
      case SELECT -> vec(half ? "selecth" : "select", v, MASKS, v, v);
      case CAST -> {
        if (in != a.dtype()) {
          vec(half ? typed("to", a.dtype()) + "h" : typed("to", a.dtype()), vector(a.dtype()), v);
        }
      }
      default -> {
        if (a.args().size() == 1) {
          operation(name, in, v, v);
        } else {
          operation(name, in, v, v, v);
        }
      }
    }
  }

  /** An instruction whose name tells lanes apart for masks only. */
  void operation(String name, DType t, ClassDesc result, ClassDesc... args) {
    vec(t == DType.BOOL && half ? name + "h" : name, result, args);
  }

  void load(DType t) {
    vec(sized(typed("load", t), t), vector(t), ConstantDescs.CD_long);
  }

  /**
   * Stores a vector; address and vector are on the stack. Only the lanes that are left, if that is
   * given.
   */
  void store(DType t, int left) {
    if (left < 0 && t != DType.BOOL) {
      vec("store", ConstantDescs.CD_void, ConstantDescs.CD_long, vector(t));
      return;
    }
    if (left >= 0) {
      code.iload(left);
    } else {
      code.loadConstant(lanes);
    }
    vec(
        t == DType.BOOL ? sized("storeBool", t) : "store",
        ConstantDescs.CD_void,
        ConstantDescs.CD_long,
        vector(t),
        ConstantDescs.CD_int);
  }
}
