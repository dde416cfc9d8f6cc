package tapedeck.cpu.gemm;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorSpecies;
import tapedeck.cpu.math.Memory;

/**
 * Generates the loops of tiles. Every accumulator is a variable of its own, since the JIT keeps no
 * array in registers, and A is read from an array, since reading single elements of native memory
 * costs the JIT far more. Methods of vectors are called without helpers in between: those the JIT
 * would stop to inline in code of this size.
 */
final class TileWriter {
  private static final int BYTES = FloatVector.SPECIES_PREFERRED.vectorByteSize();
  private static final ClassDesc TILE = desc(Tile.class);
  private static final ClassDesc MEMORY = desc(Memory.class);
  private static final ClassDesc SEGMENT = desc(MemorySegment.class);
  private static final ClassDesc ORDER = desc(ByteOrder.class);
  private static final ClassDesc SPECIES = desc(VectorSpecies.class);
  private static final ClassDesc VECTOR = desc(Vector.class);
  private static final MethodTypeDesc RUN =
      MethodTypeDesc.ofDescriptor("(Ljava/lang/Object;IIIJJJJZ)V");

  // the parameters' slots
  private static final int A = 1;
  private static final int FROM = 2;
  private static final int LDA = 3;
  private static final int DEPTH = 4;
  private static final int B = 5;
  private static final int PITCH = 7;
  private static final int C = 9;
  private static final int LD = 11;
  private static final int ADD = 13;

  private final Tile.Form form;
  private final CodeBuilder code;
  private final ClassDesc element;
  private final ClassDesc vector;

  private TileWriter(Tile.Form form, CodeBuilder code) {
    this.form = form;
    this.code = code;
    this.element = form.f64() ? ConstantDescs.CD_double : ConstantDescs.CD_float;
    this.vector = desc(form.f64() ? DoubleVector.class : FloatVector.class);
  }

  private static ClassDesc desc(Class<?> type) {
    return type.describeConstable().orElseThrow();
  }

  static Tile write(Tile.Form form) {
    String name =
        "%s.Tile%dx%dof%d"
            .formatted(
                TileWriter.class.getPackageName(),
                form.height(),
                form.vectors(),
                form.f64() ? 64 : 32);
    byte[] bytes =
        ClassFile.of()
            .build(
                ClassDesc.of(name),
                c ->
                    c.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                        .withInterfaceSymbols(TILE)
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
                            "run", RUN, ClassFile.ACC_PUBLIC, b -> new TileWriter(form, b).body()));
    try {
      Class<?> type = MethodHandles.lookup().defineHiddenClass(bytes, true).lookupClass();
      return (Tile) type.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(name, e);
    }
  }

  private void body() {
    int height = form.height();
    int vectors = form.vectors();
    code.aload(A).checkcast(element.arrayType()).astore(A);
    int[] sums = new int[height * vectors];
    for (int i = 0; i < sums.length; i++) {
      sums[i] = code.allocateLocal(TypeKind.REFERENCE);
      species();
      code.invokestatic(vector, "zero", MethodTypeDesc.of(vector, SPECIES)).astore(sums[i]);
    }
    int[] rows = new int[height];
    if (form.byRows()) {
      for (int r = 1; r < height; r++) {
        rows[r] = code.allocateLocal(TypeKind.INT);
        code.iload(LDA).loadConstant(r).imul().istore(rows[r]);
      }
    }
    int end = code.allocateLocal(TypeKind.INT);
    code.iload(DEPTH).loadConstant(form.byRows() ? 1 : height).imul();
    code.iload(FROM).iadd().istore(end);

    Label top = code.newLabel();
    Label done = code.newLabel();
    code.labelBinding(top).iload(FROM).iload(end).if_icmpge(done);
    int[] b = new int[vectors];
    for (int v = 0; v < vectors; v++) {
      b[v] = code.allocateLocal(TypeKind.REFERENCE);
      load(B, v);
      code.astore(b[v]);
    }
    int factor = code.allocateLocal(TypeKind.REFERENCE);
    for (int r = 0; r < height; r++) {
      species();
      code.aload(A).iload(FROM);
      if (r > 0) {
        if (form.byRows()) {
          code.iload(rows[r]);
        } else {
          code.loadConstant(r);
        }
        code.iadd();
      }
      code.arrayLoad(form.f64() ? TypeKind.DOUBLE : TypeKind.FLOAT)
          .invokestatic(vector, "broadcast", MethodTypeDesc.of(vector, SPECIES, element))
          .astore(factor);
      for (int v = 0; v < vectors; v++) {
        int sum = sums[r * vectors + v];
        code.aload(factor)
            .aload(b[v])
            .aload(sum)
            .invokevirtual(vector, "fma", MethodTypeDesc.of(vector, VECTOR, VECTOR))
            .astore(sum);
      }
    }
    advance(B, PITCH);
    code.iinc(FROM, form.byRows() ? 1 : height).goto_(top).labelBinding(done);
    result(sums);
    code.return_();
  }

  private void result(int[] sums) {
    int c = code.allocateLocal(TypeKind.LONG);
    Label plain = code.newLabel();
    code.iload(ADD).ifeq(plain).lload(C).lstore(c);
    for (int i = 0; i < sums.length; i++) {
      load(c, i % form.vectors());
      code.aload(sums[i])
          .invokevirtual(vector, "add", MethodTypeDesc.of(vector, VECTOR))
          .astore(sums[i]);
      if (i % form.vectors() == form.vectors() - 1) {
        advance(c, LD);
      }
    }
    code.labelBinding(plain);
    for (int i = 0; i < sums.length; i++) {
      code.aload(sums[i]);
      place(C, i % form.vectors());
      code.invokevirtual(
          vector,
          "intoMemorySegment",
          MethodTypeDesc.of(ConstantDescs.CD_void, SEGMENT, ConstantDescs.CD_long, ORDER));
      if (i % form.vectors() == form.vectors() - 1) {
        advance(C, LD);
      }
    }
  }

  private void species() {
    code.getstatic(vector, "SPECIES_PREFERRED", SPECIES);
  }

  private void load(int slot, int v) {
    species();
    place(slot, v);
    code.invokestatic(
        vector,
        "fromMemorySegment",
        MethodTypeDesc.of(vector, SPECIES, SEGMENT, ConstantDescs.CD_long, ORDER));
  }

  /** Puts the place of vector v of a row on the stack: segment, offset and byte order. */
  private void place(int slot, int v) {
    code.getstatic(MEMORY, "ALL", SEGMENT).lload(slot);
    if (v > 0) {
      code.loadConstant((long) v * BYTES).ladd();
    }
    boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    code.getstatic(ORDER, little ? "LITTLE_ENDIAN" : "BIG_ENDIAN", ORDER);
  }

  private void advance(int slot, int by) {
    code.lload(slot).lload(by).ladd().lstore(slot);
  }
}
