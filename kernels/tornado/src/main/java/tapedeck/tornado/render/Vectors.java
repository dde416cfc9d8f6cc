package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntConsumer;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * Vectors, and copies by them between arrays of the device and of a work-item. TornadoVM has
 * classes of a few elements, whose loads and stores become one instruction of the device, and
 * collections of such, which exist during compilation only when they are made around an array that
 * is there. An access can begin at multiples of the number of elements.
 */
final class Vectors {
  private static final String PACKAGE = "uk.ac.manchester.tornado.api.types.";

  private record Key(int array, int lanes) {}

  private final CodeBuilder code;
  private final Map<Key, Integer> views = new HashMap<>();

  Vectors(CodeBuilder code) {
    this.code = code;
  }

  /** Whether there are vectors of this type and length. */
  static boolean has(DType t, int lanes) {
    return switch (t) {
      case FLOAT32, INT32 -> lanes == 4 || lanes == 8 || lanes == 16;
      case FLOAT64 -> lanes == 4 || lanes == 8;
      case BOOL -> false;
    };
  }

  /**
   * Lanes with which an access can be done by vectors along a loop: all of them have to begin at
   * multiples.
   *
   * @param most most lanes, a power of two
   * @param extent what the lanes have to divide too, or 0
   */
  static int lanes(Index index, DType t, Loop along, int most, int extent) {
    if (!index.isAffine() || index.coef(along) != 1) {
      return 1;
    }
    for (int lanes = most; lanes > 1; lanes /= 2) {
      int l = lanes;
      if (has(t, l)
          && extent % l == 0
          && index.base() % l == 0
          && index.terms().stream()
              .allMatch(x -> x.coef() % l == 0 || x.atom().equals(new Index.Var(along)))) {
        return l;
      }
    }
    return 1;
  }

  private static String name(DType t, int lanes) {
    return (t == DType.FLOAT32 ? "Float" : t == DType.FLOAT64 ? "Double" : "Int") + lanes;
  }

  private static ClassDesc vector(DType t, int lanes) {
    return ClassDesc.of(PACKAGE + "vectors." + name(t, lanes));
  }

  private static ClassDesc collection(DType t, int lanes) {
    return ClassDesc.of(PACKAGE + "collections.Vector" + name(t, lanes));
  }

  /** Makes the view of an array that accesses go through; to be called before any loop. */
  void declare(int array, DType t, int lanes) {
    views.computeIfAbsent(
        new Key(array, lanes),
        k -> {
          ClassDesc c = collection(t, lanes);
          int view = code.allocateLocal(TypeKind.REFERENCE);
          code.new_(c).dup().aload(array);
          code.invokespecial(
              c, ConstantDescs.INIT_NAME, MethodTypeDesc.of(ConstantDescs.CD_void, Types.array(t)));
          code.astore(view);
          return view;
        });
  }

  /**
   * Copies a vector of an array into an array of the work-item.
   *
   * @param index pushes the number of its first element, divided by the lanes
   * @param to local of the work-item's array
   * @param at local with the place of the first lane there
   */
  void load(int array, DType t, int lanes, Runnable index, int to, int at) {
    scatter(read(array, t, lanes, index), t, lanes, to, at);
  }

  /** Copies the other way. */
  void store(int array, DType t, int lanes, Runnable index, int from, int at) {
    code.aload(views.get(new Key(array, lanes)));
    index.run();
    gather(t, lanes, from, at);
    set(t, lanes);
  }

  /**
   * Reads a vector of an array into a new local.
   *
   * @param index pushes the number of its first element, divided by the lanes
   */
  int read(int array, DType t, int lanes, Runnable index) {
    code.aload(views.get(new Key(array, lanes)));
    index.run();
    code.invokevirtual(
        collection(t, lanes), "get", MethodTypeDesc.of(vector(t, lanes), ConstantDescs.CD_int));
    int local = code.allocateLocal(TypeKind.REFERENCE);
    code.astore(local);
    return local;
  }

  /** Writes a vector in a local to an array, the reverse of {@link #read}. */
  void write(int array, DType t, int lanes, Runnable index, int vector) {
    code.aload(views.get(new Key(array, lanes)));
    index.run();
    code.aload(vector);
    set(t, lanes);
  }

  private void set(DType t, int lanes) {
    code.invokevirtual(
        collection(t, lanes),
        "set",
        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int, vector(t, lanes)));
  }

  /** Pushes a lane of a vector. */
  void lane(int vector, DType t, int lanes, int lane) {
    code.aload(vector).loadConstant(lane);
    code.invokevirtual(
        vector(t, lanes), "get", MethodTypeDesc.of(Types.scalar(t), ConstantDescs.CD_int));
  }

  /** Stores the lanes of a vector into an array of the work-item. */
  void scatter(int vector, DType t, int lanes, int to, int at) {
    for (int i = 0; i < lanes; i++) {
      code.aload(to).iload(at).loadConstant(i).iadd();
      lane(vector, t, lanes, i);
      code.arrayStore(Types.kind(t));
    }
  }

  /** Pushes a vector of elements of an array of the work-item. */
  void gather(DType t, int lanes, int from, int at) {
    of(t, lanes, i -> code.aload(from).iload(at).loadConstant(i).iadd().arrayLoad(Types.kind(t)));
  }

  /** Pushes a vector whose lanes are what a body pushes. */
  void of(DType t, int lanes, IntConsumer lane) {
    ClassDesc v = vector(t, lanes);
    code.new_(v).dup();
    for (int i = 0; i < lanes; i++) {
      lane.accept(i);
    }
    code.invokespecial(
        v,
        ConstantDescs.INIT_NAME,
        MethodTypeDesc.of(ConstantDescs.CD_void, Collections.nCopies(lanes, Types.scalar(t))));
  }

  /** Pushes a * b + sum of vectors in locals, fused where the device has an instruction for it. */
  void multiplyAdd(DType t, int lanes, int a, int b, int sum, boolean fused) {
    ClassDesc v = vector(t, lanes);
    code.aload(a).aload(b);
    if (fused) {
      code.aload(sum).invokestatic(Types.desc(CpuMath.class), "fma", MethodTypeDesc.of(v, v, v, v));
    } else {
      arithmetic(ScalarOp.MUL, t, lanes);
      code.aload(sum);
      arithmetic(ScalarOp.ADD, t, lanes);
    }
  }

  /** Applies one of the four operations to two vectors on the stack. */
  void arithmetic(ScalarOp op, DType t, int lanes) {
    String name =
        switch (op) {
          case ADD -> "add";
          case SUB -> "sub";
          case MUL -> "mult";
          case DIV -> "div";
          default -> throw new IllegalArgumentException(op + " of vectors");
        };
    ClassDesc v = vector(t, lanes);
    code.invokestatic(v, name, MethodTypeDesc.of(v, v, v));
  }
}
