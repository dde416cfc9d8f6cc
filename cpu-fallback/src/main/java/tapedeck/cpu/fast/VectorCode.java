package tapedeck.cpu.fast;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;

/**
 * Vector instructions whose operands lie on the stack; all vectors of a kernel have equal lanes.
 */
final class VectorCode {
  private static final String PACKAGE = "jdk.incubator.vector.";
  private static final ClassDesc LANES = ClassDesc.of(Lanes.class.getName());
  private static final ClassDesc VECTOR = ClassDesc.of(PACKAGE + "Vector");
  static final ClassDesc MASK = ClassDesc.of(PACKAGE + "VectorMask");
  private static final ClassDesc SPECIES = ClassDesc.of(PACKAGE + "VectorSpecies");
  private static final ClassDesc OPERATORS = ClassDesc.of(PACKAGE + "VectorOperators");
  private static final ClassDesc SEGMENT = ClassDesc.of("java.lang.foreign.MemorySegment");
  private static final ClassDesc ORDER = ClassDesc.of("java.nio.ByteOrder");
  private static final ClassDesc INT = ConstantDescs.CD_int;
  private static final ClassDesc LONG = ConstantDescs.CD_long;

  private final CodeBuilder c;
  private final int lanes;

  VectorCode(CodeBuilder c, int lanes) {
    this.c = c;
    this.lanes = lanes;
  }

  /** Class of vectors with elements of this type. */
  static ClassDesc vector(Type t) {
    return ClassDesc.of(
        PACKAGE
            + switch (t) {
              case F32 -> "FloatVector";
              case F64 -> "DoubleVector";
              case I32 -> "IntVector";
              case I64 -> "LongVector";
              case BOOL -> "ByteVector";
              case INDEX -> throw new IllegalArgumentException("indices are scalars");
            });
  }

  private static ClassDesc nested(String name) {
    return OPERATORS.nested(name);
  }

  private static MethodTypeDesc sig(ClassDesc result, ClassDesc... params) {
    return MethodTypeDesc.of(result, params);
  }

  void species(Type t) {
    String letter =
        switch (t) {
          case F32 -> "F";
          case F64 -> "D";
          case I32 -> "I";
          case I64 -> "L";
          case BOOL -> "B";
          case INDEX -> throw new IllegalArgumentException("indices are scalars");
        };
    c.getstatic(LANES, letter + lanes, SPECIES);
  }

  private void constant(String name, ClassDesc type) {
    c.getstatic(LANES, name, type);
  }

  private void operator(String name, String kind) {
    c.getstatic(OPERATORS, name, nested(kind));
  }

  /** scalar → vector of it. The scalar is in local {@code at}, or a constant that is pushed. */
  void broadcast(Type t, Runnable scalar) {
    species(t);
    scalar.run();
    c.invokestatic(vector(t), "broadcast", sig(vector(t), SPECIES, ScalarCode.desc(t)));
  }

  /** boolean → mask with all lanes equal. */
  void maskAll(Type species, Runnable scalar) {
    species(species);
    scalar.run();
    c.invokeinterface(SPECIES, "maskAll", sig(MASK, ConstantDescs.CD_boolean));
  }

  /** Mask of the first lanes, for int32 vectors. */
  void firstLanes(Runnable count) {
    species(Type.I32);
    c.iconst_0();
    count.run();
    c.invokeinterface(SPECIES, "indexInRange", sig(MASK, INT, INT));
  }

  /** mask → the same lanes as a mask for vectors of another type. */
  void castMask(Type from, Type to) {
    if (from != to) {
      species(to);
      c.invokevirtual(MASK, "cast", sig(MASK, SPECIES));
    }
  }

  /** Loads lanes; for BOOL gives a mask of byte vectors. */
  void load(Type t, Runnable address, Runnable mask) {
    species(t);
    constant("ALL", SEGMENT);
    address.run();
    constant("ORDER", ORDER);
    if (mask == null) {
      c.invokestatic(vector(t), "fromMemorySegment", sig(vector(t), SPECIES, SEGMENT, LONG, ORDER));
    } else {
      mask.run();
      c.invokestatic(
          vector(t), "fromMemorySegment", sig(vector(t), SPECIES, SEGMENT, LONG, ORDER, MASK));
    }
    if (t == Type.BOOL) {
      operator("NE", "Comparison");
      c.iconst_0();
      c.invokevirtual(vector(t), "compare", sig(MASK, nested("Comparison"), ConstantDescs.CD_byte));
    }
  }

  /** vector → nothing; for BOOL, mask of byte vectors → nothing. */
  void store(Type t, Runnable value, Runnable address, Runnable mask) {
    if (t == Type.BOOL) {
      species(t);
      c.invokestatic(vector(t), "zero", sig(vector(t), SPECIES));
      c.iconst_1();
      value.run();
      c.invokevirtual(vector(t), "blend", sig(vector(t), ConstantDescs.CD_byte, MASK));
    } else {
      value.run();
    }
    constant("ALL", SEGMENT);
    address.run();
    constant("ORDER", ORDER);
    if (mask == null) {
      c.invokevirtual(
          vector(t), "intoMemorySegment", sig(ConstantDescs.CD_void, SEGMENT, LONG, ORDER));
    } else {
      mask.run();
      c.invokevirtual(
          vector(t), "intoMemorySegment", sig(ConstantDescs.CD_void, SEGMENT, LONG, ORDER, MASK));
    }
  }

  /** Vector of {@code start + stride * lane} as int32. */
  void indices(Runnable start, long stride) {
    offsets(stride);
    start.run();
    c.l2i();
    c.invokevirtual(vector(Type.I32), "add", sig(vector(Type.I32), INT));
  }

  /** Vector of {@code stride * lane} as int32. */
  private void offsets(long stride) {
    constant("IOTA" + lanes, vector(Type.I32));
    if (stride != 1) {
      c.loadConstant((int) stride);
      c.invokevirtual(vector(Type.I32), "mul", sig(vector(Type.I32), INT));
    }
  }

  /**
   * Mask, for int32 vectors, of the lanes where {@code stride * lane} compares with a difference.
   */
  void compareIndices(Op op, long stride, Runnable difference) {
    offsets(stride);
    operator(op.name(), "Comparison");
    difference.run();
    c.invokestatic(LANES, "clamp", sig(INT, LONG));
    c.invokevirtual(vector(Type.I32), "compare", sig(MASK, nested("Comparison"), INT));
  }

  /** (b, a, mask) → a where true, else b. */
  void blend(Type t) {
    c.invokevirtual(vector(t), "blend", sig(vector(t), VECTOR, MASK));
  }

  void allTrue() {
    c.invokevirtual(MASK, "allTrue", sig(ConstantDescs.CD_boolean));
  }

  private void binary(Type t, String name) {
    c.invokevirtual(vector(t), name, sig(vector(t), VECTOR));
  }

  private void unary(Type t, String name) {
    c.invokevirtual(vector(t), name, sig(vector(t)));
  }

  private void lanewise(Type t, String op) {
    // The operator comes second on the stack, so it is swapped with the operand.
    operator(op, op.startsWith("LSH") ? "Binary" : "Associative");
    c.swap();
    c.invokevirtual(vector(t), "lanewise", sig(vector(t), nested("Binary"), VECTOR));
  }

  /** vector → shifted by a constant. */
  void shift(Op op, Type t, long by) {
    operator(op == Op.SHL ? "LSHL" : "LSHR", "Binary");
    if (t == Type.I64) {
      c.loadConstant(by);
    } else {
      c.loadConstant((int) by);
    }
    ClassDesc distance = ScalarCode.desc(t);
    c.invokevirtual(vector(t), "lanewise", sig(vector(t), nested("Binary"), distance));
  }

  /** Vectors → vector, or mask for comparisons. */
  void apply(Op op, Type t, Type in) {
    switch (op) {
      case ADD -> binary(t, "add");
      case SUB -> binary(t, "sub");
      case MUL -> binary(t, "mul");
      case DIV -> binary(t, "div");
      case MIN -> binary(t, "min");
      case MAX -> binary(t, "max");
      case NEG -> unary(t, "neg");
      case ABS -> unary(t, "abs");
      case SQRT -> unary(t, "sqrt");
      case NOT -> unary(t, "not");
      case FMA -> c.invokevirtual(vector(t), "fma", sig(vector(t), VECTOR, VECTOR));
      case AND -> lanewise(t, "AND");
      case OR -> lanewise(t, "OR");
      case XOR -> lanewise(t, "XOR");
      case SHL -> lanewise(t, "LSHL");
      case SHR -> lanewise(t, "LSHR");
      case LT, LE, EQ, NE -> {
        operator(op.name(), "Comparison");
        c.swap();
        c.invokevirtual(vector(in), "compare", sig(MASK, nested("Comparison"), VECTOR));
      }
      case CONST, PARAM, VAR, LOAD, ACC, REM, SELECT, CONVERT, BITS, CALL, REPAIR ->
          throw new IllegalArgumentException(op + " is not a plain vector instruction");
    }
  }

  private void masks(String name) {
    c.invokevirtual(MASK, name, sig(MASK, MASK));
  }

  private void notMask() {
    c.invokevirtual(MASK, "not", sig(MASK));
  }

  /** Masks → mask. */
  void applyToMasks(Op op) {
    switch (op) {
      case AND, MUL, MIN -> masks("and");
      case OR, ADD, MAX -> masks("or");
      case EQ -> masks("eq");
      case NE, XOR, SUB -> {
        masks("eq");
        notMask();
      }
      case NOT -> notMask();
      // a < b is b and not a.
      case LT -> {
        c.swap();
        masks("andNot");
      }
      case LE -> {
        masks("andNot");
        notMask();
      }
      case NEG, ABS -> {}
      case CONST,
          PARAM,
          VAR,
          LOAD,
          ACC,
          DIV,
          REM,
          SQRT,
          FMA,
          SHL,
          SHR,
          SELECT,
          CONVERT,
          BITS,
          CALL,
          REPAIR ->
          throw new IllegalArgumentException(op + " of masks");
    }
  }

  /** Vector → vector of another type, by value. */
  void convert(Type from, Type to) {
    String name = letter(from) + "2" + letter(to);
    operator(name, "Conversion");
    species(to);
    c.iconst_0();
    c.invokevirtual(vector(from), "convertShape", sig(VECTOR, nested("Conversion"), SPECIES, INT));
    c.checkcast(vector(to));
  }

  private static String letter(Type t) {
    return switch (t) {
      case F32 -> "F";
      case F64 -> "D";
      case I32 -> "I";
      case I64 -> "L";
      case BOOL, INDEX -> throw new IllegalArgumentException(t.name());
    };
  }

  /** mask → 1 where true, else 0. */
  void fromMask(Type to, Runnable mask) {
    species(to);
    c.invokestatic(vector(to), "zero", sig(vector(to), SPECIES));
    switch (to) {
      case F32 -> c.fconst_1();
      case F64 -> c.dconst_1();
      case I32 -> c.iconst_1();
      default -> throw new IllegalArgumentException(to.name());
    }
    mask.run();
    c.invokevirtual(vector(to), "blend", sig(vector(to), ScalarCode.desc(to), MASK));
  }

  /** vector → mask of the lanes that are not zero. */
  void toMask(Type from) {
    operator("NE", "Comparison");
    species(from);
    c.invokestatic(vector(from), "zero", sig(vector(from), SPECIES));
    c.invokevirtual(vector(from), "compare", sig(MASK, nested("Comparison"), VECTOR));
  }

  /** Vector → vector of another type with the same bits. */
  void bits(Type from, Type to) {
    String name =
        switch (to) {
          case F32 -> "reinterpretAsFloats";
          case F64 -> "reinterpretAsDoubles";
          case I32 -> "reinterpretAsInts";
          case I64 -> "reinterpretAsLongs";
          case BOOL, INDEX -> throw new IllegalArgumentException(to.name());
        };
    c.invokevirtual(vector(from), name, sig(vector(to)));
  }
}
