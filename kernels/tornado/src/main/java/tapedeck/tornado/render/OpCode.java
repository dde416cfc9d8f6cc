package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import uk.ac.manchester.tornado.api.math.TornadoMath;

/** Scalar instructions on operands that are on the JVM stack. */
final class OpCode {
  private static final ClassDesc INTRINSICS = Types.desc(TornadoMath.class);
  private static final ClassDesc FORMULAS = Types.desc(DeviceMath.class);
  private static final ClassDesc CPU_FORMULAS = Types.desc(CpuMath.class);

  private final CodeBuilder code;
  private final boolean gpu;

  OpCode(CodeBuilder code, boolean gpu) {
    this.code = code;
    this.gpu = gpu;
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
      case POW -> intrinsic("pow", in, 2);
      case ATAN2 -> intrinsic("atan2", in, 2);
      case FLOOR -> intrinsic("floor", in, 1);
      case CEIL -> intrinsic("ceil", in, 1);
      case ROUND -> formula("tdRound", in, in);
      case SQRT -> intrinsic("sqrt", in, 1);
      case RSQRT -> {
        intrinsic("sqrt", in, 1);
        reciprocal(in);
      }
      case EXP -> intrinsic("exp", in, 1);
      case EXPM1 -> byKind("tdExpm1", in, () -> formula("tdExpm1", in, in));
      case LOG -> byKind("tdLog", in, () -> intrinsic("log", in, 1));
      case LOG1P -> byKind("tdLog1p", in, () -> formula("tdLog1p", in, in));
      case SIN -> intrinsic("sin", in, 1);
      case COS -> intrinsic("cos", in, 1);
      case TAN -> intrinsic("tan", in, 1);
      case ASIN -> intrinsic("asin", in, 1);
      case ACOS -> intrinsic("acos", in, 1);
      case ATAN -> intrinsic("atan", in, 1);
      case SINH -> formula("tdSinh", in, in);
      case COSH -> formula("tdCosh", in, in);
      case TANH -> byKind("tdTanh", in, () -> intrinsic("tanh", in, 1));
      case SIGMOID -> formula("tdSigmoid", in, in);
      case ERF -> formula("tdErf", in, in);
      case ERFC -> formula("tdErfc", in, in);
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

  /** A float32 function of {@link CpuMath} on CPU devices, something else elsewhere. */
  private void byKind(String name, DType t, Runnable elsewhere) {
    if (gpu || t != DType.FLOAT32) {
      elsewhere.run();
    } else {
      code.invokestatic(CPU_FORMULAS, name, MethodTypeDesc.of(Types.scalar(t), Types.scalar(t)));
    }
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
    ClassDesc d = Types.scalar(t);
    code.invokestatic(
        INTRINSICS, name, arity == 1 ? MethodTypeDesc.of(d, d) : MethodTypeDesc.of(d, d, d));
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
