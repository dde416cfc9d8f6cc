package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.MethodModel;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import tapedeck.ad.backend.Device;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.cpu.interp.InterpProvider;
import tapedeck.cpu.math.Memory;

/** Devices and kernels for tests of how the generator treats kernels. */
class KernelForms {
  /** HotSpot compiles no larger method. */
  static final int HUGE = 8000;

  static Device interp;
  static Device vectors;
  static Device scalar;

  @BeforeAll
  static void open() {
    interp = new InterpProvider().discover().devices().get(0).open();
    vectors = new CpuDevice();
    scalar = new CpuDevice(new KernelCache(false));
  }

  @AfterAll
  static void close() {
    interp.close();
    vectors.close();
    scalar.close();
  }

  static void check(String what, Kernel k) {
    List<byte[]> data = Runs.data(k, 1);
    List<byte[]> expected = Runs.run(interp, k, data);
    Runs.compare(what + ", vectors", k, expected, Runs.run(vectors, k, data));
    Runs.compare(what + ", scalar", k, expected, Runs.run(scalar, k, data));
    for (boolean with : new boolean[] {true, false}) {
      for (MethodModel m : methods(k, with)) {
        int bytes = m.findAttribute(Attributes.code()).orElseThrow().codeLength();
        assertTrue(
            bytes < HUGE,
            () -> what + ": method " + m.methodName() + " has " + bytes + " bytes of code");
      }
    }
  }

  static List<MethodModel> methods(Kernel k, boolean vectors) {
    return KernelGen.classFiles(k, vectors ? KernelGen.Code.VECTORS : KernelGen.Code.SCALARS)
        .stream()
        .flatMap(b -> ClassFile.of().parse(b).methods().stream())
        .toList();
  }

  static Expr f32(ScalarOp op, Expr... args) {
    return Expr.apply(op, DType.FLOAT32, args);
  }

  static Kernel.Param in(DType t, long elements) {
    return new Kernel.Param(t, elements, true, false);
  }

  static Kernel.Param out(DType t, long elements) {
    return new Kernel.Param(t, elements, false, true);
  }

  static Kernel kernel(List<Kernel.Param> params, List<Loop> grid, Phase... phases) {
    return new Kernel(params, grid, List.of(phases), Optional.empty());
  }

  /** Row-major index of loops. */
  static Index index(Loop... loops) {
    Index at = Index.ZERO;
    long stride = 1;
    for (int i = loops.length - 1; i >= 0; i--) {
      at = at.plus(Index.of(loops[i]).times(stride));
      stride *= loops[i].extent();
    }
    return at;
  }

  static float[] runInPlace(Kernel k, int over, int n) {
    CpuKernel made = CpuKernel.compile(k, "in place", true);
    long[] addresses = new long[k.params().size()];
    long raw = NativeMemory.malloc(4L * (n + 64) * addresses.length);
    for (int i = 0; i < addresses.length; i++) {
      addresses[i] = NativeMemory.aligned(raw) + 4L * (n + 64) * i;
    }
    addresses[over] = addresses[0];
    for (int i = 0; i < n; i++) {
      Memory.putFloat(addresses[0] + 4L * i, i % 7 - 3);
    }
    try (WorkerPool pool = new WorkerPool(1)) {
      made.run(pool, addresses);
    }
    float[] out = new float[n * (addresses.length - 1)];
    for (int p = 1; p < addresses.length; p++) {
      for (int i = 0; i < n; i++) {
        out[(p - 1) * n + i] = Memory.getFloat(addresses[p] + 4L * i);
      }
    }
    NativeMemory.free(raw);
    return out;
  }
}
