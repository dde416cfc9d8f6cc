package tapedeck.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tapedeck.cpu.math.Memory;

class GemmTest {
  private static final Parallel TWO = threads(2);
  private static final Parallel FIVE = threads(5);

  private static Parallel threads(int n) {
    return new Parallel() {
      @Override
      public void run(int tasks, IntConsumer body) {
        IntStream.range(0, tasks).parallel().forEach(body);
      }

      @Override
      public int threads() {
        return n;
      }
    };
  }

  /** How an operand lies in memory. */
  private enum Layout {
    ROWS,
    COLUMNS,
    PADDED_ROWS,
    PADDED_COLUMNS,
    EVERY_OTHER,
    REVERSED,
    SAME_ROW,
    SAME_COLUMN,
    COMPUTED
  }

  /** A matrix of small numbers in some layout, and what its elements are. */
  private record Matrix(Operand operand, double[] values, int cols) {
    double at(int r, int c) {
      return values[r * cols + c];
    }
  }

  private static Matrix matrix(
      Arena arena, boolean f64, Layout layout, int rows, int cols, Random random) {
    long rs = cols;
    long cs = 1;
    long first = 0;
    switch (layout) {
      case ROWS, COMPUTED -> {}
      case COLUMNS -> {
        rs = 1;
        cs = rows;
      }
      case PADDED_ROWS -> rs = cols + 3L;
      case PADDED_COLUMNS -> {
        rs = 1;
        cs = rows + 5L;
      }
      case EVERY_OTHER -> {
        rs = 2L * cols + 1;
        cs = 2;
      }
      case REVERSED -> {
        rs = -cols;
        cs = -1;
        first = (long) rows * cols - 1;
      }
      case SAME_ROW -> rs = 0;
      case SAME_COLUMN -> {
        rs = 1;
        cs = 0;
      }
    }
    int size = f64 ? 8 : 4;
    long extent = Math.abs(rs) * (rows - 1) + Math.abs(cs) * (cols - 1) + 1;
    // one element in, so that nothing relies on alignment
    long base = arena.allocate((extent + 1) * size, 8).address() + size;
    for (long i = 0; i < extent; i++) {
      double v = random.nextInt(2001) / 1000.0 - 1;
      if (f64) {
        Memory.putDouble(base + 8 * i, v);
      } else {
        Memory.putFloat(base + 4 * i, (float) v);
      }
    }
    double[] values = new double[rows * cols];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        values[r * cols + c] = get(f64, base + (first + r * rs + c * cs) * size);
      }
    }
    Operand operand = new Operand.Strided(base + first * size, rs, cs);
    if (layout == Layout.COMPUTED) {
      operand =
          new Operand.Computed(
              (dst, ld, r0, height, c0, width) -> {
                for (int r = 0; r < height; r++) {
                  for (int c = 0; c < width; c++) {
                    double v = values[(r0 + r) * cols + c0 + c];
                    long to = dst + ((long) r * ld + c) * size;
                    put(f64, to, v);
                  }
                }
              });
    }
    return new Matrix(operand, values, cols);
  }

  private static double get(boolean f64, long address) {
    return f64 ? Memory.getDouble(address) : Memory.getFloat(address);
  }

  private static void put(boolean f64, long address, double v) {
    if (f64) {
      Memory.putDouble(address, v);
    } else {
      Memory.putFloat(address, (float) v);
    }
  }

  /** What multiplies: {@link Gemm} as the machine suggests, or in blocks of some size. */
  private interface Run {
    void run(Operand a, Operand b, Epilogue epilogue, Parallel parallel);
  }

  private static void check(
      boolean f64, int m, int n, int k, Layout la, Layout lb, Parallel parallel) {
    Run run = (a, b, epilogue, by) -> Gemm.run(f64, m, n, k, a, b, epilogue, by);
    check(run, f64, m, n, k, la, lb, parallel);
  }

  private static void check(
      Run run, boolean f64, int m, int n, int k, Layout la, Layout lb, Parallel parallel) {
    String what = (f64 ? "f64 " : "f32 ") + m + "x" + n + "x" + k + " " + la + " " + lb;
    Random random = new Random(31L * m + n + k);
    int size = f64 ? 8 : 4;
    try (Arena arena = Arena.ofConfined()) {
      Matrix a = matrix(arena, f64, la, m, k, random);
      Matrix b = matrix(arena, f64, lb, k, n, random);
      int ld = n + 2;
      long c = arena.allocate((long) m * ld * size, 8).address();
      for (int i = 0; i < m * ld; i++) {
        put(f64, c + (long) i * size, 7);
      }
      run.run(a.operand, b.operand, new Epilogue.Store(c, ld, f64), parallel);
      double[] tiled = new double[m * n];
      AtomicInteger[] seen = new AtomicInteger[m * n];
      for (int i = 0; i < m * n; i++) {
        seen[i] = new AtomicInteger();
      }
      Epilogue collect =
          (acc, pitch, m0, rows, n0, cols) -> {
            for (int i = 0; i < rows; i++) {
              for (int j = 0; j < cols; j++) {
                int at = (m0 + i) * n + n0 + j;
                seen[at].incrementAndGet();
                tiled[at] = get(f64, acc + ((long) i * pitch + j) * size);
              }
            }
          };
      run.run(a.operand, b.operand, collect, Parallel.SEQUENTIAL);
      double unit = f64 ? 0x1p-53 : 0x1p-24;
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          double sum = 0;
          double bound = 0;
          for (int p = 0; p < k; p++) {
            sum += a.at(i, p) * b.at(p, j);
            bound += Math.abs(a.at(i, p) * b.at(p, j));
          }
          double got = get(f64, c + ((long) i * ld + j) * size);
          String where = what + " at " + i + "," + j;
          // both sums are off by at most that, whatever their order
          assertEquals(sum, got, 2 * (k + 1) * unit * bound, where);
          assertEquals(1, seen[i * n + j].get(), where);
          assertEquals(got, tiled[i * n + j], 0, where + ": store and epilogue, threads");
        }
        for (int j = n; j < ld; j++) {
          assertEquals(7, get(f64, c + ((long) i * ld + j) * size), "overran row " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void allLayouts(boolean f64) {
    for (Layout la : Layout.values()) {
      for (Layout lb : Layout.values()) {
        check(f64, 29, 37, 41, la, lb, TWO);
        check(f64, 1, 70, 33, la, lb, TWO);
        check(f64, 50, 1, 67, la, lb, TWO);
        check(f64, 5, 9, 7, la, lb, TWO);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void randomShapes(boolean f64) {
    Random random = new Random(3);
    int[] sizes = {
      1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 16, 17, 31, 32, 33, 63, 64, 65, 94, 95, 96, 97, 130
    };
    Layout[] layouts = Layout.values();
    for (int i = 0; i < 150; i++) {
      int m = sizes[random.nextInt(sizes.length)];
      int n = sizes[random.nextInt(sizes.length)];
      int k = sizes[random.nextInt(sizes.length)];
      Layout la = layouts[random.nextInt(layouts.length)];
      Layout lb = layouts[random.nextInt(layouts.length)];
      check(f64, m, n, k, la, lb, i % 2 == 0 ? TWO : FIVE);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void deepSumsAreAddedUpInSlices(boolean f64) {
    for (int k : new int[] {224, 255, 256, 257, 511, 512, 513, 1025, 1500}) {
      check(f64, 30, 70, k, Layout.ROWS, Layout.ROWS, TWO);
      check(f64, 13, 33, k, Layout.COMPUTED, Layout.COMPUTED, FIVE);
      check(f64, 1, 33, k, Layout.ROWS, Layout.COLUMNS, FIVE);
    }
  }

  /** Depths around those of the slices that skinny products of one task go by. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void deepSkinnyProductsGoBySlices(boolean f64) {
    for (int k : new int[] {511, 512, 513, 1024, 1537}) {
      for (int[] s : new int[][] {{16, 5}, {5, 16}, {1, 16}, {17, 1}, {12, 41}, {9, 70}}) {
        for (Layout la : Layout.values()) {
          check(f64, s[0], s[1], k, la, Layout.ROWS, TWO);
          check(f64, s[0], s[1], k, Layout.COLUMNS, la, FIVE);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void depthBeyondWhatIsPackedAtOnce(boolean f64) {
    check(f64, 14, 37, 90_000, Layout.COLUMNS, Layout.ROWS, TWO);
    check(f64, 3, 1200, 9_000, Layout.ROWS, Layout.COLUMNS, TWO);
    Blocking low = new Blocking((f64 ? Lanes.F64 : Lanes.F32).length(), 8, true, 16, 480);
    Run run = (a, b, epilogue, by) -> Gemm.run(low, f64, 50, 37, 90_000, a, b, epilogue, by);
    check(run, f64, 50, 37, 90_000, Layout.ROWS, Layout.ROWS, TWO);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void partsOfTheDepth(boolean f64) {
    assertEquals(1, DeepProduct.parts(f64, 500, 500, 1100));
    for (int[] s :
        new int[][] {{21, 530, 1500}, {300, 9, 2100}, {13, 70, 9001}, {33, 33, 12_000}}) {
      assertTrue(DeepProduct.parts(f64, s[0], s[1], s[2]) > 1);
      for (Layout la : Layout.values()) {
        check(f64, s[0], s[1], s[2], la, Layout.ROWS, FIVE);
        check(f64, s[0], s[1], s[2], Layout.COLUMNS, la, TWO);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void blocksOfEverySide(boolean f64) {
    // more rows than a block has, and a second factor that is packed although it is whole vectors
    for (Layout la : new Layout[] {Layout.ROWS, Layout.COLUMNS, Layout.COMPUTED}) {
      check(f64, 531, 48, 37, la, Layout.ROWS, TWO);
      check(f64, 70, 640, 530, la, Layout.ROWS, FIVE);
      check(f64, 68, 130, 600, la, Layout.PADDED_ROWS, FIVE);
      check(f64, 20, 75, 45, la, Layout.PADDED_COLUMNS, TWO);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void tilesAndBlocksOfOtherMachines(boolean f64) {
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    Blocking[] some = {
      new Blocking(lanes, 4, true, 16, 64),
      new Blocking(lanes, 6, false, 24, 32),
      new Blocking(lanes, 6, false, 12, 17),
      new Blocking(lanes, 6, true, 18, 33),
      new Blocking(lanes, 8, true, 16, 48),
      new Blocking(lanes, 8, true, 24, 31)
    };
    for (Blocking by : some) {
      for (Layout la : Layout.values()) {
        for (int m = 23; m <= 30; m++) {
          int rows = m;
          // an odd and an even number of steps of depth, in one slice and in several
          for (int k : new int[] {1, 2, 30, 67}) {
            int n = 5 * lanes - m % 3;
            Run run =
                (a, b, epilogue, parallel) ->
                    Gemm.run(by, f64, rows, n, k, a, b, epilogue, parallel);
            check(run, f64, rows, n, k, la, m % 2 == 0 ? Layout.ROWS : Layout.COLUMNS, TWO);
          }
        }
      }
    }
  }

  @Test
  void manyColumnsArePackedInParts() {
    check(false, 20, 5000, 1000, Layout.ROWS, Layout.ROWS, TWO);
  }

  @Test
  void emptyProducts() {
    check(true, 3, 5, 0, Layout.ROWS, Layout.ROWS, TWO);
    Epilogue none =
        (acc, ld, m0, rows, n0, cols) -> {
          throw new AssertionError("there is no element");
        };
    Operand nothing = new Operand.Strided(0, 0, 0);
    Gemm.run(false, 0, 5, 3, nothing, nothing, none, TWO);
    Gemm.run(false, 5, 0, 3, nothing, nothing, none, TWO);
    assertThrows(
        IllegalArgumentException.class,
        () -> Gemm.run(false, -1, 5, 3, nothing, nothing, none, TWO));
  }
}
