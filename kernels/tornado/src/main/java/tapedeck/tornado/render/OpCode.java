package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Collections;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import uk.ac.manchester.tornado.api.math.TornadoMath;

/** Scalar instructions on operands that are on the JVM stack. */
final class OpCode {
  private static final ClassDesc INTRINSICS = Types.desc(TornadoMath.class);
  private static final ClassDesc FORMULAS = Types.desc(DeviceMath.class);
  private static final ClassDesc CPU_FORMULAS = Types.desc(CpuMath.class);

  private static final int NONE = -1;

  private final CodeBuilder code;
  private final boolean gpu;
  private final boolean own;
  private int turns = NONE;

  OpCode(CodeBuilder code, Target target) {
    this.code = code;
    this.gpu = target.gpu();
    this.own = target.ownMath();
  }

  /** Whether float32 functions are those of {@link CpuMath}. */
  boolean own() {
    return own;
  }

  /**
   * From now on, sin, cos and tan of float32 are right up to {@link CpuMath#TRIG_MAX} only, and the
   * bits of the largest argument are kept in an int local.
   */
  void shortTurns(int largest) {
    turns = largest;
  }

  /** They are right for all arguments again. */
  void longTurns() {
    turns = NONE;
  }

  /** Applies {@code op}, whose last operand has type {@code in}, giving {@code out}. */
  void apply(ScalarOp op, DType out, DType in) {
    switch (op) {
      case ADD -> arithmetic(op, in);
      case SUB -> arithmetic(op, in);
      case MUL -> arithmetic(op, in);
      case NEG -> arithmetic(op, in);
      case DIV -> {
        if (in.isFloat()) {
          arithmetic(op, in);
        } else {
          formula("tdDivide", in, in, in);
        }
      }
      // NB: TornadoVM writes the JVM's own remainder of floats as C's %, which has none.
      case REM -> formula("tdRemainder", in, in, in);
      case MIN -> extreme("Min", in);
      case MAX -> extreme("Max", in);
      case ABS -> intrinsic("abs", in, 1);
      case SIGN -> formula(in.isFloat() ? "tdSign" : "tdIntSign", in, in);
      case POW -> function("tdPow", in, 2, () -> intrinsic("pow", in, 2));
      case ATAN2 -> intrinsic("atan2", in, 2);
      case FLOOR -> intrinsic("floor", in, 1);
      case CEIL -> intrinsic("ceil", in, 1);
      case ROUND -> formula("tdRound", in, in);
      case SQRT -> intrinsic("sqrt", in, 1);
      case RSQRT -> {
        intrinsic("sqrt", in, 1);
        reciprocal(in);
      }
      case EXP -> function("tdExp", in, 1, () -> intrinsic("exp", in, 1));
      case EXPM1 -> function("tdExpm1", in, 1, () -> formula("tdExpm1", in, in));
      case LOG -> function("tdLog", in, 1, () -> intrinsic("log", in, 1));
      case LOG1P -> function("tdLog1p", in, 1, () -> formula("tdLog1p", in, in));
      case SIN -> turn("tdSin", in, () -> intrinsic("sin", in, 1));
      case COS -> turn("tdCos", in, () -> intrinsic("cos", in, 1));
      case TAN -> turn("tdTan", in, () -> intrinsic("tan", in, 1));
      case ASIN -> intrinsic("asin", in, 1);
      case ACOS -> intrinsic("acos", in, 1);
      case ATAN -> intrinsic("atan", in, 1);
      case SINH -> function("tdSinh", in, 1, () -> formula("tdSinh", in, in));
      case COSH -> function("tdCosh", in, 1, () -> formula("tdCosh", in, in));
      case TANH -> function("tdTanh", in, 1, () -> tanh(in));
      case SIGMOID -> function("tdSigmoid", in, 1, () -> formula("tdSigmoid", in, in));
      case ERF -> function("tdErf", in, 1, () -> formula("tdErf", in, in));
      case ERFC -> function("tdErfc", in, 1, () -> formula("tdErfc", in, in));
      case LT -> formula("tdLt", DType.BOOL, in, in);
      case LE -> formula("tdLe", DType.BOOL, in, in);
      case EQ -> formula("tdEq", DType.BOOL, in, in);
      case NE -> formula("tdNe", DType.BOOL, in, in);
      case AND -> code.iand();
      case OR -> code.ior();
      case XOR -> code.ixor();
      case NOT -> code.loadConstant(in == DType.BOOL ? 1 : -1).ixor();
      case SHL -> code.ishl();
      case SHR -> formula("tdShiftRight", in, in, in);
      case UMULHI -> formula("tdUmulhi", in, in, in);
      case SELECT -> formula("tdSelect", out, DType.BOOL, out, out);
      case CAST -> cast(in, out);
    }
  }

  /** A float32 function of {@link CpuMath} where that is possible, or something else. */
  private void function(String name, DType t, int arity, Runnable otherwise) {
    if (own && t == DType.FLOAT32) {
      code.invokestatic(CPU_FORMULAS, name, signature(t, arity));
    } else {
      otherwise.run();
    }
  }

  /** The library's function is a call for each element of a vector on CPU devices. */
  private void tanh(DType t) {
    if (gpu || t != DType.FLOAT32) {
      intrinsic("tanh", t, 1);
    } else {
      formula("tdTanh", t, t);
    }
  }

  private void turn(String name, DType t, Runnable otherwise) {
    if (turns == NONE || t != DType.FLOAT32) {
      otherwise.run();
      return;
    }
    int x = code.allocateLocal(TypeKind.FLOAT);
    code.fstore(x).iload(turns).fload(x);
    code.invokestatic(
        CPU_FORMULAS,
        "tdLargest",
        MethodTypeDesc.of(ConstantDescs.CD_int, ConstantDescs.CD_int, ConstantDescs.CD_float));
    code.istore(turns).fload(x);
    function(name, t, 1, otherwise);
  }

  /** Adds the product of the two topmost values to the one below. */
  void multiplyAdd(DType t) {
    if (t == DType.FLOAT32) {
      code.fmul().fadd();
    } else {
      code.dmul().dadd();
    }
  }

  private static MethodTypeDesc signature(DType t, int arity) {
    return MethodTypeDesc.of(Types.scalar(t), Collections.nCopies(arity, Types.scalar(t)));
  }

  /** A method of {@link DeviceMath}. */
  private void formula(String name, DType result, DType... args) {
    ClassDesc[] d = new ClassDesc[args.length];
    for (int i = 0; i < d.length; i++) {
      d[i] = Types.scalar(args[i]);
    }
    code.invokestatic(FORMULAS, name, MethodTypeDesc.of(Types.scalar(result), d));
  }

  /** A method of {@link TornadoMath}, which the compiler maps to an instruction of the device. */
  private void intrinsic(String name, DType t, int arity) {
    code.invokestatic(INTRINSICS, name, signature(t, arity));
  }

  private void extreme(String name, DType t) {
    switch (t) {
      case FLOAT32, FLOAT64, INT32 -> formula("td" + name, t, t, t);
      case BOOL -> {
        if (name.equals("Min")) {
          code.iand();
        } else {
          code.ior();
        }
      }
    }
  }

  private void reciprocal(DType t) {
    if (t == DType.FLOAT32) {
      int x = code.allocateLocal(Types.kind(t));
      code.fstore(x).fconst_1().fload(x).fdiv();
    } else {
      int x = code.allocateLocal(Types.kind(t));
      code.dstore(x).dconst_1().dload(x).ddiv();
    }
  }

  private void arithmetic(ScalarOp op, DType t) {
    switch (t) {
      case FLOAT32 -> {
        switch (op) {
          case ADD -> code.fadd();
          case SUB -> code.fsub();
          case MUL -> code.fmul();
          case DIV -> code.fdiv();
          default -> code.fneg();
        }
      }
      case FLOAT64 -> {
        switch (op) {
          case ADD -> code.dadd();
          case SUB -> code.dsub();
          case MUL -> code.dmul();
          case DIV -> code.ddiv();
          default -> code.dneg();
        }
      }
      case INT32 -> {
        switch (op) {
          case ADD -> code.iadd();
          case SUB -> code.isub();
          case MUL -> code.imul();
          default -> code.ineg();
        }
      }
      case BOOL -> {
        switch (op) {
          case ADD -> code.ior();
          case MUL -> code.iand();
          default -> code.ixor();
        }
      }
    }
  }

  private void cast(DType in, DType out) {
    if (in == out) {
      return;
    }
    switch (out) {
      case BOOL -> {
        zero(in);
        formula("tdNe", DType.BOOL, in, in);
      }
      case INT32 -> {
        if (in.isFloat()) {
          formula("tdToInt", DType.INT32, in);
        }
      }
      case FLOAT32 -> {
        if (in == DType.FLOAT64) {
          code.d2f();
        } else {
          code.i2f();
        }
      }
      case FLOAT64 -> {
        if (in == DType.FLOAT32) {
          code.f2d();
        } else {
          code.i2d();
        }
      }
    }
  }

  private void zero(DType t) {
    switch (t) {
      case FLOAT32 -> code.fconst_0();
      case FLOAT64 -> code.dconst_0();
      case INT32, BOOL -> code.iconst_0();
    }
  }
}
