package tapedeck.bench.model;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;
import tapedeck.ad.type.TapedeckException;

/** OpenBLAS, loaded from a shared library: what products are compared with. */
public final class Blas {
  private static final int ROW_MAJOR = 101;
  private static final int PLAIN = 111;
  private static final int TRANSPOSED = 112;
  private static final Linker LINKER = Linker.nativeLinker();

  private final SymbolLookup library;
  private final MethodHandle sgemm;
  private final MethodHandle dgemm;

  private Blas(SymbolLookup library) {
    this.library = library;
    this.sgemm = gemm("cblas_sgemm", ValueLayout.JAVA_FLOAT);
    this.dgemm = gemm("cblas_dgemm", ValueLayout.JAVA_DOUBLE);
  }

  private MethodHandle gemm(String name, ValueLayout scalar) {
    ValueLayout i = ValueLayout.JAVA_INT;
    ValueLayout p = ValueLayout.ADDRESS;
    return LINKER.downcallHandle(
        library.findOrThrow(name),
        FunctionDescriptor.ofVoid(i, i, i, i, i, i, scalar, p, i, p, i, scalar, p, i));
  }

  /** The library that the system's loader finds under its usual names, if there is one. */
  public static Optional<Blas> find() {
    for (String name : new String[] {"libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"}) {
      try {
        return Optional.of(new Blas(SymbolLookup.libraryLookup(name, Arena.global())));
      } catch (IllegalArgumentException e) {
        // not under this name
      }
    }
    return Optional.empty();
  }

  /**
   * Loads a library.
   *
   * @throws TapedeckException if it cannot be loaded or is no BLAS with a C interface
   */
  public static Blas load(Path file) {
    try {
      return new Blas(SymbolLookup.libraryLookup(file.toAbsolutePath(), Arena.global()));
    } catch (RuntimeException e) {
      throw new TapedeckException("[matmul] cannot load " + file + ": " + e.getMessage(), e);
    }
  }

  /** Name, version and chosen processor, as far as the library tells. */
  public String description() {
    return text("openblas_get_config") + ", kernels for " + text("openblas_get_corename");
  }

  private String text(String function) {
    try {
      MethodHandle h =
          LINKER.downcallHandle(
              library.findOrThrow(function), FunctionDescriptor.of(ValueLayout.ADDRESS));
      MemorySegment s = (MemorySegment) h.invokeExact();
      return s.reinterpret(1024).getString(0).strip();
    } catch (Throwable e) {
      return "unknown";
    }
  }

  /** Sets the number of threads that all later products use. */
  public void threads(int n) {
    try {
      LINKER
          .downcallHandle(
              library.findOrThrow("openblas_set_num_threads"),
              FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT))
          .invokeExact(n);
    } catch (Throwable e) {
      throw new TapedeckException("[matmul] the library is no OpenBLAS: " + e.getMessage(), e);
    }
  }

  /** Sets c to the product of matrices that lie by rows, or transposed by rows. */
  void multiply(MatmulRun.Shape s, MemorySegment a, MemorySegment b, MemorySegment c) {
    int ta = s.transA() ? TRANSPOSED : PLAIN;
    int tb = s.transB() ? TRANSPOSED : PLAIN;
    int lda = s.transA() ? s.m() : s.k();
    int ldb = s.transB() ? s.k() : s.n();
    try {
      if (s.f64()) {
        dgemm.invokeExact(
            ROW_MAJOR, ta, tb, s.m(), s.n(), s.k(), 1.0, a, lda, b, ldb, 0.0, c, s.n());
      } else {
        sgemm.invokeExact(ROW_MAJOR, ta, tb, s.m(), s.n(), s.k(), 1f, a, lda, b, ldb, 0f, c, s.n());
      }
    } catch (Throwable e) {
      throw new TapedeckException("[matmul] the library failed: " + e.getMessage(), e);
    }
  }
}
