package tapedeck.cpu.fast;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.HashMap;
import java.util.Map;
import tapedeck.ad.type.DeviceException;

/** Innermost part of a matrix product: a tile of results that stays in registers. */
interface MicroKernel {
  /**
   * Adds the product of two panels to a tile.
   *
   * @param a address of the left panel, laid out as its {@link Shape} says
   * @param b address of the right panel: for each k its columns
   * @param c address of the tile's first result
   * @param k length of the sums
   */
  void run(long a, long b, long c, int k);

  /**
   * What a micro-kernel is made for; all strides are in bytes.
   *
   * @param rows rows of the tile
   * @param columns columns of the tile, in vectors
   * @param rowStride from row to row of the left panel
   * @param stepStride from k to k of the left panel
   * @param bStride from k to k of the right panel
   * @param cStride from row to row of the tile
   */
  record Shape(
      Type type,
      int lanes,
      int rows,
      int columns,
      int rowStride,
      int stepStride,
      int bStride,
      int cStride) {}

  static MicroKernel of(Shape shape) {
    return Cache.get(shape);
  }

  /** Micro-kernels made so far; there are few. */
  final class Cache {
    private static final Map<Shape, MicroKernel> MADE = new HashMap<>();

    private Cache() {}

    private static synchronized MicroKernel get(Shape shape) {
      return MADE.computeIfAbsent(shape, Cache::make);
    }

    private static MicroKernel make(Shape s) {
      MethodTypeDesc none = MethodTypeDesc.of(ConstantDescs.CD_void);
      byte[] bytes =
          ClassFile.of()
              .build(
                  ClassDesc.of(MicroKernel.class.getPackageName() + ".Micro"),
                  b ->
                      b.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                          .withInterfaceSymbols(ClassDesc.of(MicroKernel.class.getName()))
                          .withMethodBody(
                              ConstantDescs.INIT_NAME,
                              none,
                              0,
                              c ->
                                  c.aload(0)
                                      .invokespecial(
                                          ConstantDescs.CD_Object, ConstantDescs.INIT_NAME, none)
                                      .return_())
                          .withMethodBody(
                              "run",
                              MethodTypeDesc.ofDescriptor("(JJJI)V"),
                              ClassFile.ACC_PUBLIC,
                              c -> emit(s, c)));
      try {
        MethodHandles.Lookup lookup = MethodHandles.lookup().defineHiddenClass(bytes, true);
        return (MicroKernel)
            lookup
                .findConstructor(lookup.lookupClass(), MethodType.methodType(void.class))
                .invoke();
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new DeviceException("[cpu] micro-kernel does not load: " + e.getMessage(), e);
      }
    }

    private static void emit(Shape s, CodeBuilder c) {
      VectorCode v = new VectorCode(c, s.lanes);
      ScalarCode scalar = new ScalarCode(c);
      int width = s.lanes * s.type.bytes;
      int a = 1;
      int b = 3;
      int out = 5;
      int k = 7;
      int[][] acc = new int[s.rows][s.columns];
      for (int i = 0; i < s.rows; i++) {
        for (int j = 0; j < s.columns; j++) {
          long at = (long) i * s.cStride + (long) j * width;
          v.load(s.type, () -> c.lload(out).loadConstant(at).ladd(), null);
          acc[i][j] = c.allocateLocal(TypeKind.REFERENCE);
          c.astore(acc[i][j]);
        }
      }
      int p = c.allocateLocal(TypeKind.INT);
      int left = c.allocateLocal(TypeKind.LONG);
      int right = c.allocateLocal(TypeKind.LONG);
      Label top = c.newLabel();
      Label end = c.newLabel();
      c.iconst_0().istore(p).labelBinding(top).iload(p).iload(k).if_icmpge(end);
      c.lload(a).iload(p).i2l().loadConstant((long) s.stepStride).lmul().ladd().lstore(left);
      c.lload(b).iload(p).i2l().loadConstant((long) s.bStride).lmul().ladd().lstore(right);
      int[] columns = new int[s.columns];
      for (int j = 0; j < s.columns; j++) {
        long at = (long) j * width;
        v.load(s.type, () -> c.lload(right).loadConstant(at).ladd(), null);
        columns[j] = c.allocateLocal(TypeKind.REFERENCE);
        c.astore(columns[j]);
      }
      int x = c.allocateLocal(TypeKind.REFERENCE);
      for (int i = 0; i < s.rows; i++) {
        long at = (long) i * s.rowStride;
        v.broadcast(s.type, () -> scalar.load(s.type, () -> c.lload(left).loadConstant(at).ladd()));
        c.astore(x);
        for (int j = 0; j < s.columns; j++) {
          c.aload(x).aload(columns[j]).aload(acc[i][j]);
          v.apply(Op.FMA, s.type, s.type);
          c.astore(acc[i][j]);
        }
      }
      c.iinc(p, 1).goto_(top).labelBinding(end);
      for (int i = 0; i < s.rows; i++) {
        for (int j = 0; j < s.columns; j++) {
          int from = acc[i][j];
          long at = (long) i * s.cStride + (long) j * width;
          v.store(s.type, () -> c.aload(from), () -> c.lload(out).loadConstant(at).ladd(), null);
        }
      }
      c.return_();
    }
  }
}
