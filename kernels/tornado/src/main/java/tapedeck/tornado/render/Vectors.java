package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import tapedeck.ad.type.DType;

/**
 * Copies by vectors between arrays of the device and of a work-item. TornadoVM has classes of a few
 * elements, whose loads and stores become one instruction of the device, and collections of such,
 * which exist during compilation only when they are made around an array that is there. An access
 * can begin at multiples of the number of elements.
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
    ClassDesc v = vector(t, lanes);
    code.aload(views.get(new Key(array, lanes)));
    index.run();
    code.invokevirtual(collection(t, lanes), "get", MethodTypeDesc.of(v, ConstantDescs.CD_int));
    int local = code.allocateLocal(TypeKind.REFERENCE);
    code.astore(local);
    for (int i = 0; i < lanes; i++) {
      code.aload(to).iload(at).loadConstant(i).iadd();
      code.aload(local).loadConstant(i);
      code.invokevirtual(v, "get", MethodTypeDesc.of(Types.scalar(t), ConstantDescs.CD_int));
      code.arrayStore(Types.kind(t));
    }
  }

  /** Copies the other way. */
  void store(int array, DType t, int lanes, Runnable index, int from, int at) {
    ClassDesc v = vector(t, lanes);
    code.aload(views.get(new Key(array, lanes)));
    index.run();
    code.new_(v).dup();
    for (int i = 0; i < lanes; i++) {
      code.aload(from).iload(at).loadConstant(i).iadd().arrayLoad(Types.kind(t));
    }
    code.invokespecial(
        v,
        ConstantDescs.INIT_NAME,
        MethodTypeDesc.of(ConstantDescs.CD_void, Collections.nCopies(lanes, Types.scalar(t))));
    code.invokevirtual(
        collection(t, lanes),
        "set",
        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int, v));
  }
}
