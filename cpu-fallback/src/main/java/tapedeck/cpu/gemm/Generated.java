package tapedeck.cpu.gemm;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Consumer;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import tapedeck.cpu.math.Memory;

/**
 * Emits vector instructions and defines the classes that have them. Methods of vectors are called
 * without helpers in between: those the JIT would stop to inline in code of this size.
 */
final class Generated {
  static final ClassDesc VECTOR = desc(Vector.class);
  private static final ClassDesc MEMORY = desc(Memory.class);
  private static final ClassDesc SEGMENT = desc(MemorySegment.class);
  private static final ClassDesc ORDER = desc(ByteOrder.class);
  private static final ClassDesc SPECIES = desc(VectorSpecies.class);
  private static final ClassDesc MASK = desc(VectorMask.class);

  private final CodeBuilder code;

  /** Vectors and elements of the type at hand. */
  final ClassDesc vector;

  final ClassDesc element;

  Generated(CodeBuilder code, boolean f64) {
    this.code = code;
    this.vector = desc(f64 ? DoubleVector.class : FloatVector.class);
    this.element = f64 ? ConstantDescs.CD_double : ConstantDescs.CD_float;
  }

  static ClassDesc desc(Class<?> type) {
    return type.describeConstable().orElseThrow();
  }

  /** An instance of a new class with one method, {@code run}. */
  static <T> T define(Class<T> type, String name, String run, Consumer<CodeBuilder> body) {
    byte[] bytes =
        ClassFile.of()
            .build(
                ClassDesc.of(Generated.class.getPackageName(), name),
                c ->
                    c.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                        .withInterfaceSymbols(desc(type))
                        .withMethodBody(
                            ConstantDescs.INIT_NAME,
                            ConstantDescs.MTD_void,
                            0,
                            b ->
                                b.aload(0)
                                    .invokespecial(
                                        ConstantDescs.CD_Object,
                                        ConstantDescs.INIT_NAME,
                                        ConstantDescs.MTD_void)
                                    .return_())
                        .withMethodBody(
                            "run", MethodTypeDesc.ofDescriptor(run), ClassFile.ACC_PUBLIC, body));
    try {
      Class<?> made = MethodHandles.lookup().defineHiddenClass(bytes, true).lookupClass();
      return type.cast(made.getDeclaredConstructor().newInstance());
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(name, e);
    }
  }

  void zero() {
    species();
    code.invokestatic(vector, "zero", MethodTypeDesc.of(vector, SPECIES));
  }

  private void species() {
    code.getstatic(vector, "SPECIES_PREFERRED", SPECIES);
  }

  /** Spreads an element over a vector; load puts it on the stack. */
  void broadcast(Runnable load) {
    species();
    load.run();
    code.invokestatic(vector, "broadcast", MethodTypeDesc.of(vector, SPECIES, element));
  }

  /** Loads vector v at the address in a variable. */
  void load(int slot, int v) {
    species();
    place(slot, v);
    code.invokestatic(
        vector,
        "fromMemorySegment",
        MethodTypeDesc.of(vector, SPECIES, SEGMENT, ConstantDescs.CD_long, ORDER));
  }

  /** Stores the vector on the stack as vector v at the address in a variable. */
  void store(int slot, int v) {
    place(slot, v);
    code.invokevirtual(
        vector,
        "intoMemorySegment",
        MethodTypeDesc.of(ConstantDescs.CD_void, SEGMENT, ConstantDescs.CD_long, ORDER));
  }

  /** Puts segment, offset and byte order on the stack. */
  private void place(int slot, int v) {
    code.getstatic(MEMORY, "ALL", SEGMENT).lload(slot);
    if (v > 0) {
      code.loadConstant((long) v * Lanes.F32.vectorByteSize()).ladd();
    }
    boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    code.getstatic(ORDER, little ? "LITTLE_ENDIAN" : "BIG_ENDIAN", ORDER);
  }

  /** Adds one long variable to another. */
  void advance(int slot, int by) {
    code.lload(slot).lload(by).ladd().lstore(slot);
  }

  /** Interleaves the lower or the higher halves of two vectors in variables. */
  void interleave(boolean high, int a, int b) {
    String half = high ? "HIGH" : "LOW";
    boolean f64 = element.equals(ConstantDescs.CD_double);
    if (f64 && Blocking.FEW_REGISTERS) {
      // without AVX-512 the JIT has no instructions for selectFrom of doubles
      ClassDesc shuffle = desc(VectorShuffle.class);
      MethodTypeDesc rearrange = MethodTypeDesc.of(vector, shuffle);
      for (int v : new int[] {a, b}) {
        code.aload(v).getstatic(desc(Lanes.class), "TWICE_" + half + 64, shuffle);
        code.invokevirtual(vector, "rearrange", rearrange);
      }
      code.getstatic(desc(Lanes.class), "ODD64", MASK);
      code.invokevirtual(vector, "blend", MethodTypeDesc.of(vector, VECTOR, MASK));
      return;
    }
    code.getstatic(desc(Lanes.class), half + (f64 ? 64 : 32), vector).aload(a).aload(b);
    call("selectFrom", 2);
  }

  /** Calls a method of a vector on vectors. */
  void call(String name, int args) {
    ClassDesc[] vectors = new ClassDesc[args];
    Arrays.fill(vectors, VECTOR);
    code.invokevirtual(vector, name, MethodTypeDesc.of(vector, vectors));
  }
}
