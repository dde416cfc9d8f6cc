package tapedeck.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tapedeck.ad.type.Settings;
import tapedeck.cpu.math.Memory;

/** Scalar code that stands in for vectors until the JIT has compiled them. */
class RehearsalTest {
  private static final int BYTES = 1 << 16;

  /** Memory after some code ran on random numbers. */
  private static byte[] after(boolean f64, Consumer<Long> code) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment m = arena.allocate(BYTES, 64);
      Random r = new Random(3);
      for (int i = 0; i < BYTES / (f64 ? 8 : 4); i++) {
        if (f64) {
          m.setAtIndex(ValueLayout.JAVA_DOUBLE, i, r.nextGaussian());
        } else {
          m.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) r.nextGaussian());
        }
      }
      code.accept(m.address());
      return m.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private interface Use<T> {
    void run(T code, long memory);
  }

  private static <T> void same(boolean f64, Rehearsal<T> r, Use<T> use) {
    byte[] before = after(f64, m -> {});
    byte[] scalar = after(f64, m -> use.run(r.scalar(), m));
    assertTrue(!java.util.Arrays.equals(before, scalar), "something was written");
    assertArrayEquals(scalar, after(f64, m -> use.run(r.made(), m)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void tiles(boolean f64) {
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    long size = f64 ? 8 : 4;
    int depth = 37;
    int lda = 40;
    for (int form = 0; form < 4; form++) {
      boolean byRows = (form & 1) != 0;
      boolean packed = (form & 2) != 0;
      for (int height : new int[] {1, 3, 4, 6, 8}) {
        for (int vectors : new int[] {1, 2, 4}) {
          for (boolean add : new boolean[] {false, true}) {
            Rehearsal<Tile> r = new Tile.Form(f64, byRows, packed, height, vectors).tile();
            long pitch = (long) vectors * lanes * size;
            same(
                f64,
                r,
                (tile, m) ->
                    tile.run(
                        a(f64, 2 * height * lda + 5),
                        5,
                        lda,
                        depth,
                        m,
                        pitch,
                        m + depth * pitch,
                        pitch + 8,
                        add));
          }
        }
      }
    }
  }

  private static Object a(boolean f64, int n) {
    Random r = new Random(11);
    double[] d = r.doubles(n, -1, 1).toArray();
    if (f64) {
      return d;
    }
    float[] f = new float[n];
    for (int i = 0; i < n; i++) {
      f[i] = (float) d[i];
    }
    return f;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void dots(boolean f64) {
    long row = 5L * Lanes.F32.vectorByteSize();
    same(
        f64,
        f64 ? Dots.F64 : Dots.F32,
        (d, m) ->
            d.run(
                m,
                m + row,
                m + 2 * row,
                m + 3 * row,
                m + 4 * row,
                m + 5 * row,
                m + 6 * row,
                m + 7 * row,
                row,
                m + 8 * row));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void turns(boolean f64) {
    long vector = Lanes.F32.vectorByteSize();
    long lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    same(
        f64,
        f64 ? Turn.F64 : Turn.F32,
        (t, m) -> t.run(m, 3 * vector + 8, m + lanes * (3 * vector + 8), vector + 16, 2));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void panelsTurn(boolean f64) {
    long pitch = 3L * Lanes.F32.vectorByteSize() + 8;
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    int height = (f64 ? Blocking.F64 : Blocking.F32).mr();
    int step = Tile.Form.columnStep(height);
    same(
        f64,
        f64 ? PanelTurn.F64 : PanelTurn.F32,
        (turn, m) -> {
          int n = 3 + 2 * lanes * step + lanes;
          Object panel = f64 ? new double[n] : new float[n];
          turn.run(m, pitch, panel, 3, 2);
          long to = m + height * pitch;
          for (int d = 0; d < 2 * lanes; d++) {
            for (int r = 0; r < height; r++, to += f64 ? 8 : 4) {
              if (f64) {
                Memory.putDouble(to, ((double[]) panel)[3 + d * step + r]);
              } else {
                Memory.putFloat(to, ((float[]) panel)[3 + d * step + r]);
              }
            }
          }
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void strips(boolean f64) {
    long size = f64 ? 8 : 4;
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    for (int cols : new int[] {1, lanes, lanes + 1, 2 * lanes, 3 * lanes - 1, 4 * lanes + 3}) {
      long pitch = 6L * lanes * size;
      same(
          f64,
          f64 ? Packing.STRIPS64 : Packing.STRIPS32,
          (s, m) -> s.run(m, pitch, cols, 1, 5, 7, m + 8 * pitch));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void columns(boolean f64) {
    int height = (f64 ? Blocking.F64 : Blocking.F32).mr();
    int step = Tile.Form.columnStep(height);
    for (int depth : new int[] {1, 7, 19}) {
      same(
          f64,
          f64 ? Packing.COLUMNS64 : Packing.COLUMNS32,
          (columns, m) -> {
            Object panels = f64 ? new double[3 * depth * step] : new float[3 * depth * step];
            columns.run(m, 3L * height + 1, 3, height, depth, panels);
            long to = m + BYTES / 2;
            for (int c = 0; c < 3 * depth; c++) {
              for (int r = 0; r < height; r++, to += f64 ? 8 : 4) {
                if (f64) {
                  Memory.putDouble(to, ((double[]) panels)[c * step + r]);
                } else {
                  Memory.putFloat(to, ((float[]) panels)[c * step + r]);
                }
              }
            }
          });
    }
  }

  @Test
  void vectorsComeLater() throws InterruptedException {
    Runnable scalar = () -> {};
    Runnable vectors = () -> {};
    int[] runs = {0};
    String before = System.getProperty(Settings.TIERS.key());
    Rehearsal<Runnable> r =
        new Rehearsal<>(
            scalar,
            () -> vectors,
            (code, memory, i) -> {
              assertTrue(memory % 64 == 0);
              runs[0]++;
              code.run();
            });
    System.setProperty(Settings.TIERS.key(), "on");
    try {
      assertSame(scalar, r.best());
      assertFalse(Gemm.isSettled());
    } finally {
      if (before == null) {
        System.clearProperty(Settings.TIERS.key());
      } else {
        System.setProperty(Settings.TIERS.key(), before);
      }
    }
    for (int i = 0; i < 1000 && r.ready() == null; i++) {
      Thread.sleep(10);
    }
    assertSame(vectors, r.ready());
    for (int i = 0; i < 1000 && !Gemm.isSettled(); i++) {
      Thread.sleep(10);
    }
    assertTrue(Gemm.isSettled());
    assertNotSame(scalar, r.best());
    assertEquals(0, runs[0] % 64);
    assertTrue(runs[0] > 0);
  }

  private static void slow() {
    long end = System.nanoTime() + 4000;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5})
  void codeThatStaysSlowIsMadeAnew(int slowOnes) throws InterruptedException {
    AtomicInteger made = new AtomicInteger();
    Runnable fast = () -> {};
    Runnable slow = RehearsalTest::slow;
    Rehearsal<Runnable> r =
        new Rehearsal<>(
            () -> {},
            () -> made.getAndIncrement() < slowOnes ? slow : fast,
            (code, memory, i) -> code.run());
    for (int i = 0; i < 1000 && r.ready() == null; i++) {
      r.best();
      Thread.sleep(10);
    }
    assertSame(slowOnes < 3 ? fast : slow, r.ready());
    assertEquals(Math.min(slowOnes + 1, 3), made.get());
  }
}
