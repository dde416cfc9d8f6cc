package tapedeck.cpu.fast;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.Opcode;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Collections;
import java.util.List;

/** Instructions of one node whose operands lie on the stack, for scalar values. */
final class ScalarCode {
  static final ClassDesc MEMORY = ClassDesc.of(NativeMemory.class.getName());
  private static final ClassDesc SEGMENT = ClassDesc.of("java.lang.foreign.MemorySegment");
  private static final ClassDesc MATH = ClassDesc.of(Math.class.getName());
  private static final ClassDesc CALLS = ClassDesc.of(ScalarMath.class.getName());

  private final CodeBuilder c;

  ScalarCode(CodeBuilder c) {
    this.c = c;
  }

  static ClassDesc desc(Type t) {
    return switch (t) {
      case F32 -> ConstantDescs.CD_float;
      case F64 -> ConstantDescs.CD_double;
      case I32, BOOL -> ConstantDescs.CD_int;
      case I64, INDEX -> ConstantDescs.CD_long;
    };
  }

  void constant(Type type, long bits) {
    switch (type) {
      case F32 -> c.loadConstant(Float.intBitsToFloat((int) bits));
      case F64 -> c.loadConstant(Double.longBitsToDouble(bits));
      case I32, BOOL -> c.loadConstant((int) bits);
      case I64, INDEX -> c.loadConstant(bits);
    }
  }

  private void layout(Type t) {
    String name =
        switch (t) {
          case F32 -> "FLOAT_UNALIGNED";
          case F64 -> "DOUBLE_UNALIGNED";
          case I32 -> "INT_UNALIGNED";
          case BOOL -> "BYTE";
          case I64, INDEX -> "LONG_UNALIGNED";
        };
    ClassDesc type = layoutClass(t);
    c.getstatic(ClassDesc.of("java.lang.foreign.ValueLayout"), "JAVA_" + name, type);
  }

  private static ClassDesc layoutClass(Type t) {
    return ClassDesc.of("java.lang.foreign.ValueLayout")
        .nested(
            switch (t) {
              case F32 -> "OfFloat";
              case F64 -> "OfDouble";
              case I32 -> "OfInt";
              case BOOL -> "OfByte";
              case I64, INDEX -> "OfLong";
            });
  }

  private static ClassDesc element(Type t) {
    return t == Type.BOOL ? ConstantDescs.CD_byte : desc(t);
  }

  /**
   * Pushes the element at an address. Calls the segment itself: a method of ours in between would
   * no longer be inlined in long kernels, where only the JDK's own forced inlining goes on.
   */
  void load(Type t, Runnable address) {
    c.getstatic(MEMORY, "ALL", SEGMENT);
    layout(t);
    address.run();
    c.invokeinterface(
        SEGMENT, "get", MethodTypeDesc.of(element(t), layoutClass(t), ConstantDescs.CD_long));
  }

  void store(Type t, Runnable address, Runnable value) {
    c.getstatic(MEMORY, "ALL", SEGMENT);
    layout(t);
    address.run();
    value.run();
    if (t == Type.BOOL) {
      c.i2b();
    }
    c.invokeinterface(
        SEGMENT,
        "set",
        MethodTypeDesc.of(
            ConstantDescs.CD_void, layoutClass(t), ConstantDescs.CD_long, element(t)));
  }

  private void math(String name, Type t, int arity) {
    c.invokestatic(MATH, name, signature(t, arity));
  }

  private static MethodTypeDesc signature(Type t, int arity) {
    return MethodTypeDesc.of(desc(t), Collections.nCopies(arity, desc(t)));
  }

  void call(String name, Type t, int arity) {
    c.invokestatic(CALLS, name, signature(t, arity));
  }

  /** The operation of a node without control over evaluation order; operands are on the stack. */
  void apply(Node n) {
    Type t = n.type;
    Type in = n.in.get(0).type;
    switch (n.op) {
      case ADD -> arithmetic(t, Opcode.FADD, Opcode.DADD, Opcode.IADD, Opcode.LADD, Opcode.IOR);
      case SUB -> arithmetic(t, Opcode.FSUB, Opcode.DSUB, Opcode.ISUB, Opcode.LSUB, Opcode.IXOR);
      case MUL -> arithmetic(t, Opcode.FMUL, Opcode.DMUL, Opcode.IMUL, Opcode.LMUL, Opcode.IAND);
      case DIV -> arithmetic(t, Opcode.FDIV, Opcode.DDIV, Opcode.IDIV, Opcode.LDIV, Opcode.IAND);
      case REM -> arithmetic(t, Opcode.FREM, Opcode.DREM, Opcode.IREM, Opcode.LREM, Opcode.IAND);
      case MIN -> extreme(t, "min", Opcode.IAND);
      case MAX -> extreme(t, "max", Opcode.IOR);
      case NEG -> {
        switch (t) {
          case F32 -> c.fneg();
          case F64 -> c.dneg();
          case I32 -> c.ineg();
          case I64, INDEX -> c.lneg();
          case BOOL -> {}
        }
      }
      case ABS -> {
        if (t != Type.BOOL) {
          math("abs", t, 1);
        }
      }
      case SQRT -> {
        if (t == Type.F32) {
          // Exact: the float64 root rounded to float32 is the correctly rounded root.
          c.f2d();
        }
        math("sqrt", Type.F64, 1);
        if (t == Type.F32) {
          c.d2f();
        }
      }
      case FMA -> math("fma", t, 3);
      case LT, LE, EQ, NE -> compare(n.op, in);
      case AND -> arithmetic(t, null, null, Opcode.IAND, Opcode.LAND, Opcode.IAND);
      case OR -> arithmetic(t, null, null, Opcode.IOR, Opcode.LOR, Opcode.IOR);
      case XOR -> arithmetic(t, null, null, Opcode.IXOR, Opcode.LXOR, Opcode.IXOR);
      case NOT -> {
        if (t == Type.BOOL) {
          c.iconst_1().ixor();
        } else {
          c.iconst_m1().ixor();
        }
      }
      case SHL, SHR -> {
        boolean left = n.op == Op.SHL;
        if (t == Type.I64) {
          c.l2i();
          c.with(operator(left ? Opcode.LSHL : Opcode.LUSHR));
        } else {
          c.with(operator(left ? Opcode.ISHL : Opcode.IUSHR));
        }
      }
      case CONVERT -> convert(in, t);
      case BITS -> bits(in, t);
      case CALL -> call(n.name, t, n.in.size());
      case CONST, PARAM, VAR, LOAD, ACC, SELECT, REPAIR ->
          throw new IllegalArgumentException(n.op.name());
    }
  }

  private static java.lang.classfile.Instruction operator(Opcode op) {
    return java.lang.classfile.instruction.OperatorInstruction.of(op);
  }

  private void arithmetic(Type t, Opcode f, Opcode d, Opcode i, Opcode l, Opcode b) {
    Opcode op =
        switch (t) {
          case F32 -> f;
          case F64 -> d;
          case I32 -> i;
          case I64, INDEX -> l;
          case BOOL -> b;
        };
    c.with(operator(op));
  }

  private void extreme(Type t, String name, Opcode bool) {
    if (t == Type.BOOL) {
      c.with(operator(bool));
    } else {
      math(name, t, 2);
    }
  }

  private void compare(Op op, Type in) {
    // NaN makes every comparison but NE false.
    switch (in) {
      case F32 -> c.fcmpg();
      case F64 -> c.dcmpg();
      case I64, INDEX -> c.lcmp();
      case I32, BOOL -> {}
    }
    Label yes = c.newLabel();
    Label end = c.newLabel();
    boolean direct = in == Type.I32 || in == Type.BOOL;
    switch (op) {
      case LT -> branch(direct ? Opcode.IF_ICMPLT : Opcode.IFLT, yes);
      case LE -> branch(direct ? Opcode.IF_ICMPLE : Opcode.IFLE, yes);
      case EQ -> branch(direct ? Opcode.IF_ICMPEQ : Opcode.IFEQ, yes);
      default -> branch(direct ? Opcode.IF_ICMPNE : Opcode.IFNE, yes);
    }
    c.iconst_0().goto_(end).labelBinding(yes).iconst_1().labelBinding(end);
  }

  private void branch(Opcode op, Label to) {
    c.branch(op, to);
  }

  private void convert(Type from, Type to) {
    if (from == to) {
      return;
    }
    if (to == Type.BOOL) {
      constant(from, 0);
      compare(Op.NE, from);
      return;
    }
    c.conversion(from.kind, to.kind);
  }

  private void bits(Type from, Type to) {
    switch (from) {
      case F32 ->
          c.invokestatic(ClassDesc.of("java.lang.Float"), "floatToRawIntBits", oneTo(from, to));
      case F64 ->
          c.invokestatic(ClassDesc.of("java.lang.Double"), "doubleToRawLongBits", oneTo(from, to));
      case I32 ->
          c.invokestatic(ClassDesc.of("java.lang.Float"), "intBitsToFloat", oneTo(from, to));
      case I64 ->
          c.invokestatic(ClassDesc.of("java.lang.Double"), "longBitsToDouble", oneTo(from, to));
      case BOOL, INDEX -> throw new IllegalArgumentException(from.name());
    }
  }

  private static MethodTypeDesc oneTo(Type from, Type to) {
    return MethodTypeDesc.of(desc(to), List.of(desc(from)));
  }
}
