package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.DynamicConstantDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.Locale;
import java.util.function.Consumer;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * Emits vector instructions by element type and lanes of the kernel. They are calls of the Vector
 * API itself, with no helper in between: the JIT inlines those however large the method has grown,
 * and boxes the vectors that other calls pass.
 */
final class VectorCode {
  private static final ClassDesc ANY = api("Vector");
  private static final ClassDesc FLOATS = api("FloatVector");
  private static final ClassDesc DOUBLES = api("DoubleVector");
  private static final ClassDesc INTS = api("IntVector");
  private static final ClassDesc LONGS = api("LongVector");
  private static final ClassDesc MASKS = api("VectorMask");
  private static final ClassDesc SPECIES = api("VectorSpecies");
  private static final ClassDesc OPERATORS = api("VectorOperators");
  private static final ClassDesc BINARY = api("VectorOperators$Binary");
  private static final ClassDesc ASSOCIATIVE = api("VectorOperators$Associative");
  private static final ClassDesc COMPARISON = api("VectorOperators$Comparison");
  private static final ClassDesc CONVERSION = api("VectorOperators$Conversion");
  private static final ClassDesc SEGMENT = ClassDesc.of("java.lang.foreign.MemorySegment");
  private static final ClassDesc ORDER = ClassDesc.of("java.nio.ByteOrder");
  private static final ClassDesc VEC = Vec.class.describeConstable().orElseThrow();
  private static final DirectMethodHandleDesc WEAVE =
      ConstantDescs.ofConstantBootstrap(
          VEC,
          "weave",
          api("VectorShuffle"),
          ConstantDescs.CD_long,
          ConstantDescs.CD_long,
          ConstantDescs.CD_long,
          ConstantDescs.CD_int);

  private static final long LOW_WORD = 0xffff_ffffL;

  private final Asm asm;
  private final CodeBuilder code;
  private final boolean half;

  /** Lanes of a vector. */
  final int lanes;

  VectorCode(Asm asm, boolean half) {
    this.asm = asm;
    this.code = asm.code;
    this.half = half;
    this.lanes = lanes(half);
  }

  static int lanes(boolean half) {
    return half ? Vec.LANES_H : Vec.LANES;
  }

  private static ClassDesc api(String name) {
    return ClassDesc.of("jdk.incubator.vector." + name);
  }

  static ClassDesc vector(DType t) {
    return switch (t) {
      case FLOAT32 -> FLOATS;
      case FLOAT64 -> DOUBLES;
      case INT32 -> INTS;
      case BOOL -> MASKS;
    };
  }

  /** Pushes the species of a type; that of bools is the one whose mask a bool is. */
  private void species(DType t) {
    code.getstatic(VEC, species(t, half), SPECIES);
  }

  private static String species(DType t, boolean half) {
    return switch (t) {
      case FLOAT32 -> half ? "FH" : "F";
      case INT32 -> half ? "IH" : "I";
      case FLOAT64 -> "D";
      case BOOL -> half ? "D" : "F";
    };
  }

  private void virtual(ClassDesc owner, String name, ClassDesc result, ClassDesc... args) {
    code.invokevirtual(owner, name, MethodTypeDesc.of(result, args));
  }

  // ---- instructions ---------------------------------------------------------------------------

  /** Applies an instruction to operands that the second argument pushes. */
  void instruction(Expr.Apply a, Consumer<Expr> push) {
    Expr x = a.args().get(0);
    Expr y = a.args().get(a.args().size() - 1);
    DType in = y.dtype();
    switch (a.op()) {
      case LT, LE, EQ, NE -> compare(a.op(), in, () -> push.accept(x), () -> push.accept(y));
      case SELECT -> select(in, () -> push.accept(x), () -> push.accept(a.args().get(1)), push, y);
      case CAST -> cast(a.dtype(), in, () -> push.accept(x));
      default -> operation(a.op(), in, () -> push.accept(x), () -> push.accept(y));
    }
  }

  /** An instruction whose result is of its operands' type; the second counts if there are two. */
  void operation(ScalarOp op, DType t, Runnable x, Runnable y) {
    ClassDesc v = vector(t);
    String name = op.name().toLowerCase(Locale.ROOT);
    if (t == DType.BOOL) {
      String logic =
          switch (op) {
            case AND, MIN -> "and";
            case OR, MAX -> "or";
            case XOR -> "xor";
            case NOT -> "not";
            default -> throw new IllegalStateException("no instruction on masks: " + op);
          };
      x.run();
      if (op == ScalarOp.NOT) {
        virtual(MASKS, logic, MASKS);
      } else {
        y.run();
        virtual(MASKS, logic, MASKS, MASKS);
      }
      return;
    }
    switch (op) {
      case NEG, ABS, SQRT, NOT -> {
        x.run();
        virtual(v, name, v);
      }
      case RSQRT -> {
        broadcast(t, () -> asm.constant(t, 1));
        x.run();
        virtual(v, "sqrt", v);
        virtual(v, "div", v, ANY);
      }
      case XOR -> lanewise(v, "XOR", ASSOCIATIVE, x, y);
      case SHL -> lanewise(v, "LSHL", BINARY, x, y);
      case SHR -> lanewise(v, "LSHR", BINARY, x, y);
      case UMULHI -> highWords(x, y);
      default -> {
        x.run();
        y.run();
        virtual(v, name, v, ANY);
      }
    }
  }

  private void lanewise(ClassDesc v, String operator, ClassDesc kind, Runnable x, Runnable y) {
    x.run();
    code.getstatic(OPERATORS, operator, kind);
    y.run();
    virtual(v, "lanewise", v, BINARY, ANY);
  }

  /**
   * High words of products of unsigned int32: two products of 64 bits, one of the even lanes and
   * one of the odd lanes.
   */
  private void highWords(Runnable x, Runnable y) {
    Runnable even =
        () -> {
          longs(x, "AND", ASSOCIATIVE, LOW_WORD);
          longs(y, "AND", ASSOCIATIVE, LOW_WORD);
          virtual(LONGS, "mul", LONGS, ANY);
        };
    longs(even, "LSHR", BINARY, 32);
    longs(x, "LSHR", BINARY, 32);
    longs(y, "LSHR", BINARY, 32);
    virtual(LONGS, "mul", LONGS, ANY);
    code.loadConstant(~LOW_WORD);
    virtual(LONGS, "and", LONGS, ConstantDescs.CD_long);
    virtual(LONGS, "or", LONGS, ANY);
    virtual(LONGS, "reinterpretAsInts", INTS);
  }

  /** Combines a vector, seen as one of longs, with a number. */
  private void longs(Runnable x, String operator, ClassDesc kind, long by) {
    x.run();
    virtual(ANY, "reinterpretAsLongs", LONGS);
    code.getstatic(OPERATORS, operator, kind);
    code.loadConstant(by);
    virtual(LONGS, "lanewise", LONGS, BINARY, ConstantDescs.CD_long);
  }

  private void compare(ScalarOp op, DType in, Runnable x, Runnable y) {
    if (in == DType.BOOL) {
      switch (op) {
        case LT, LE -> {
          y.run();
          x.run();
          if (op == ScalarOp.LE) {
            virtual(MASKS, "not", MASKS);
          }
          virtual(MASKS, op == ScalarOp.LE ? "or" : "andNot", MASKS, MASKS);
        }
        default -> {
          x.run();
          y.run();
          virtual(MASKS, op == ScalarOp.EQ ? "eq" : "xor", MASKS, MASKS);
        }
      }
      return;
    }
    comparison(op, in, x, y);
    castMask(in, DType.BOOL);
  }

  /** Makes a mask of one type's species one of another's. */
  private void castMask(DType from, DType to) {
    DType wide = half ? DType.FLOAT64 : DType.FLOAT32;
    if ((from == DType.BOOL ? wide : from) != (to == DType.BOOL ? wide : to)) {
      species(to);
      virtual(MASKS, "cast", MASKS, SPECIES);
    }
  }

  private void comparison(ScalarOp op, DType in, Runnable x, Runnable y) {
    x.run();
    code.getstatic(OPERATORS, op.name(), COMPARISON);
    y.run();
    virtual(vector(in), "compare", MASKS, COMPARISON, ANY);
  }

  private void select(DType t, Runnable c, Runnable a, Consumer<Expr> push, Expr otherwise) {
    ClassDesc v = vector(t);
    if (t == DType.BOOL) {
      a.run();
      c.run();
      virtual(MASKS, "and", MASKS, MASKS);
      push.accept(otherwise);
      c.run();
      virtual(MASKS, "andNot", MASKS, MASKS);
      virtual(MASKS, "or", MASKS, MASKS);
      return;
    }
    push.accept(otherwise);
    a.run();
    c.run();
    castMask(DType.BOOL, t);
    virtual(v, "blend", v, ANY, MASKS);
  }

  private void cast(DType to, DType from, Runnable x) {
    ClassDesc v = vector(to);
    if (to == from) {
      x.run();
    } else if (to == DType.BOOL) {
      x.run();
      code.getstatic(OPERATORS, "NE", COMPARISON);
      asm.constant(from, 0);
      virtual(vector(from), "compare", MASKS, COMPARISON, Asm.desc(from));
      castMask(from, DType.BOOL);
    } else if (from == DType.BOOL) {
      broadcast(to, () -> asm.constant(to, 0));
      asm.constant(to, 1);
      x.run();
      castMask(DType.BOOL, to);
      virtual(v, "blend", v, Asm.desc(to), MASKS);
    } else {
      x.run();
      code.getstatic(OPERATORS, letter(from) + "2" + letter(to), CONVERSION);
      species(to);
      code.iconst_0();
      virtual(ANY, "convertShape", ANY, CONVERSION, SPECIES, ConstantDescs.CD_int);
      code.checkcast(v);
    }
  }

  private static String letter(DType t) {
    return switch (t) {
      case FLOAT32 -> "F";
      case FLOAT64 -> "D";
      case INT32 -> "I";
      case BOOL -> throw new IllegalArgumentException("a mask is not converted");
    };
  }

  /** Puts the scalar that the argument pushes into all lanes. */
  void broadcast(DType t, Runnable scalar) {
    species(t);
    scalar.run();
    if (t == DType.BOOL) {
      code.invokeinterface(SPECIES, "maskAll", MethodTypeDesc.of(MASKS, ConstantDescs.CD_boolean));
    } else {
      ClassDesc v = vector(t);
      code.invokestatic(v, "broadcast", MethodTypeDesc.of(v, SPECIES, Asm.desc(t)));
    }
  }

  /** {@code select(mask, value, otherwise)} where the mask is one of {@link #remainder}. */
  void blend(DType t, Runnable otherwise, Runnable value, int mask) {
    ClassDesc v = vector(t);
    otherwise.run();
    value.run();
    code.aload(mask);
    castMask(DType.BOOL, t);
    virtual(v, "blend", v, ANY, MASKS);
  }

  /**
   * Pushes a mask of as many lanes as remain of a number of elements after whole vectors. There is
   * no branch in it: the JIT would hoist one that a loop takes once, in its last iteration, to the
   * loop's entry, see it fail there, and compile anew, a hundred times.
   */
  void remainder(DType t, int count) {
    species(t);
    code.lconst_1().iload(count).loadConstant(lanes - 1).iand().lshl().lconst_1().lsub();
    code.invokestatic(MASKS, "fromLong", MethodTypeDesc.of(MASKS, SPECIES, ConstantDescs.CD_long));
  }

  /** Pushes the vector whose lane i is lane i + n, counted around, of the one that is pushed. */
  void rotate(DType t, Runnable vector, int n) {
    vector.run();
    ClassDesc shuffle = api("VectorShuffle");
    code.getstatic(VEC, species(t, half) + "_" + n, shuffle);
    virtual(vector(t), "rearrange", vector(t), shuffle);
  }

  /** Distributes the vector on the stack over the lanes that follow an element of a woven row. */
  void distribute(DType t, Woven.Pattern p, int k) {
    ClassDesc shuffle = api("VectorShuffle");
    code.loadConstant(
        DynamicConstantDesc.ofNamed(
            WEAVE, species(t, half), shuffle, p.by(), p.whole(), p.rest(), k));
    virtual(vector(t), "rearrange", vector(t), shuffle);
  }

  /** Pushes the first lane. */
  void first(DType t, Runnable vector) {
    vector.run();
    code.iconst_0();
    virtual(vector(t), "lane", Asm.desc(t), ConstantDescs.CD_int);
  }

  // ---- memory ---------------------------------------------------------------------------------

  private void all() {
    asm.allMemory();
  }

  private void order() {
    code.getstatic(VEC, "ORDER", ORDER);
  }

  /** Loads a vector from the address that the argument pushes. */
  void load(DType t, Runnable address) {
    species(t);
    if (t == DType.BOOL) {
      address.run();
      code.loadConstant(lanes);
      asm.call(
          Vec.class, "bits", ConstantDescs.CD_long, ConstantDescs.CD_long, ConstantDescs.CD_int);
      code.invokestatic(
          MASKS, "fromLong", MethodTypeDesc.of(MASKS, SPECIES, ConstantDescs.CD_long));
      return;
    }
    all();
    address.run();
    order();
    code.invokestatic(
        vector(t),
        "fromMemorySegment",
        MethodTypeDesc.of(vector(t), SPECIES, SEGMENT, ConstantDescs.CD_long, ORDER));
  }

  /**
   * Stores a vector.
   *
   * @param left int local with the number of lanes to store, all if there are no more; negative:
   *     all lanes
   * @param mask local with the lanes to store where they are not all, for other types than bool
   */
  void store(DType t, Runnable address, Runnable value, int left, int mask) {
    if (t == DType.BOOL) {
      address.run();
      value.run();
      virtual(MASKS, "toLong", ConstantDescs.CD_long);
      code.loadConstant(lanes);
      if (left >= 0) {
        code.iload(left);
        asm.call(
            Math.class, "min", ConstantDescs.CD_int, ConstantDescs.CD_int, ConstantDescs.CD_int);
      }
      asm.call(
          Vec.class,
          "bools",
          ConstantDescs.CD_void,
          ConstantDescs.CD_long,
          ConstantDescs.CD_long,
          ConstantDescs.CD_int);
      return;
    }
    value.run();
    all();
    address.run();
    order();
    if (left < 0) {
      virtual(
          vector(t),
          "intoMemorySegment",
          ConstantDescs.CD_void,
          SEGMENT,
          ConstantDescs.CD_long,
          ORDER);
      return;
    }
    Label some = code.newLabel();
    Label end = code.newLabel();
    code.iload(left).loadConstant(lanes).if_icmplt(some);
    virtual(
        vector(t),
        "intoMemorySegment",
        ConstantDescs.CD_void,
        SEGMENT,
        ConstantDescs.CD_long,
        ORDER);
    code.goto_(end).labelBinding(some);
    code.aload(mask);
    virtual(
        vector(t),
        "intoMemorySegment",
        ConstantDescs.CD_void,
        SEGMENT,
        ConstantDescs.CD_long,
        ORDER,
        MASKS);
    code.labelBinding(end);
  }
}
