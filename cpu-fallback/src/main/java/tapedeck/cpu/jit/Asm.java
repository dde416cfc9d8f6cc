package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import tapedeck.ad.type.DType;
import tapedeck.cpu.math.Memory;

/**
 * A thin layer over the Class-File API's code builder: typed locals, loops and calls of static
 * helpers.
 */
final class Asm {
  private static final ClassDesc MEMORY = Memory.class.describeConstable().orElseThrow();
  private static final ClassDesc SCALARS = Scalars.class.describeConstable().orElseThrow();

  final CodeBuilder code;

  Asm(CodeBuilder code) {
    this.code = code;
  }

  /** JVM type of a scalar; a bool is an int 0 or 1. */
  static TypeKind kind(DType t) {
    return switch (t) {
      case FLOAT32 -> TypeKind.FLOAT;
      case FLOAT64 -> TypeKind.DOUBLE;
      case INT32, BOOL -> TypeKind.INT;
    };
  }

  static ClassDesc desc(DType t) {
    return switch (t) {
      case FLOAT32 -> ConstantDescs.CD_float;
      case FLOAT64 -> ConstantDescs.CD_double;
      case INT32, BOOL -> ConstantDescs.CD_int;
    };
  }

  int local(TypeKind kind) {
    return code.allocateLocal(kind);
  }

  int local(DType t) {
    return local(kind(t));
  }

  /** Stores the top of the stack into a new local. */
  int keep(TypeKind kind) {
    int slot = local(kind);
    code.storeLocal(kind, slot);
    return slot;
  }

  void constant(DType t, double v) {
    switch (t) {
      case FLOAT32 -> code.loadConstant((float) v);
      case FLOAT64 -> code.loadConstant(v);
      case INT32, BOOL -> code.loadConstant((int) v);
    }
  }

  void call(Class<?> owner, String name, ClassDesc result, ClassDesc... args) {
    code.invokestatic(
        owner.describeConstable().orElseThrow(), name, MethodTypeDesc.of(result, args));
  }

  /** Pushes the address of an element behind the address in a long local; its number is an int. */
  void element(int address, DType t, int index) {
    code.lload(address).iload(index).i2l();
    if (t.bytes() > 1) {
      code.loadConstant((long) t.bytes()).lmul();
    }
    code.ladd();
  }

  /** Fills memory: its address, the value and the number of elements are on the stack. */
  void fill(DType t) {
    call(
        Blocks.class,
        t == DType.BOOL ? "fillBool" : "fill",
        ConstantDescs.CD_void,
        ConstantDescs.CD_long,
        desc(t),
        ConstantDescs.CD_int);
  }

  /** {@code Scalars.name} on operands of one type. */
  void scalar(String name, DType result, DType... args) {
    ClassDesc[] d = new ClassDesc[args.length];
    for (int i = 0; i < d.length; i++) {
      d[i] = desc(args[i]);
    }
    code.invokestatic(SCALARS, name, MethodTypeDesc.of(desc(result), d));
  }

  private static String accessor(String verb, DType t) {
    return verb
        + switch (t) {
          case FLOAT32 -> "Float";
          case FLOAT64 -> "Double";
          case INT32 -> "Int";
          case BOOL -> "Byte";
        };
  }

  private static ClassDesc stored(DType t) {
    return t == DType.BOOL ? ConstantDescs.CD_byte : desc(t);
  }

  /** Address on the stack becomes the element there. */
  void get(DType t) {
    code.invokestatic(
        MEMORY, accessor("get", t), MethodTypeDesc.of(stored(t), ConstantDescs.CD_long));
  }

  /** Stores: address and value are on the stack. */
  void put(DType t) {
    code.invokestatic(
        MEMORY,
        accessor("put", t),
        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_long, stored(t)));
  }

  /** Pushes the segment of all memory. */
  void allMemory() {
    code.getstatic(MEMORY, "ALL", ClassDesc.of("java.lang.foreign.MemorySegment"));
  }

  /** Address on the stack becomes the long there. */
  void getLong() {
    code.invokestatic(
        MEMORY, "getLong", MethodTypeDesc.of(ConstantDescs.CD_long, ConstantDescs.CD_long));
  }

  /** Stores: address and long are on the stack. */
  void putLong() {
    code.invokestatic(
        MEMORY,
        "putLong",
        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_long, ConstantDescs.CD_long));
  }

  /** {@code for (slot = 0; slot < limit; slot++) body}, with int counters. */
  void intLoop(int slot, int limitSlot, Runnable body) {
    code.iconst_0().istore(slot);
    Label top = code.newLabel();
    Label end = code.newLabel();
    code.labelBinding(top).iload(slot).iload(limitSlot).if_icmpge(end);
    body.run();
    code.iinc(slot, 1).goto_(top).labelBinding(end);
  }

  /** {@code for (slot = from; slot < to; slot += step) body}, with long counters. */
  void longLoop(int slot, Runnable from, Runnable to, long step, Runnable body) {
    from.run();
    code.lstore(slot);
    to.run();
    int limit = keep(TypeKind.LONG);
    Label top = code.newLabel();
    Label end = code.newLabel();
    code.labelBinding(top).lload(slot).lload(limit).lcmp().ifge(end);
    body.run();
    code.lload(slot).loadConstant(step).ladd().lstore(slot).goto_(top).labelBinding(end);
  }
}
