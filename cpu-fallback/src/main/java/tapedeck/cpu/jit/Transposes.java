package tapedeck.cpu.jit;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.cpu.math.Memory;

/**
 * Operands of an elementwise kernel that are contiguous along an outer grid loop and not along the
 * innermost one. They are transposed tile by tile into scratch memory, from which the kernel, as it
 * is rewritten here, reads rows.
 *
 * @param kernel the kernel with a further parameter for the tile of each operand
 * @param row loop along which the operands are contiguous
 * @param rows most values of that loop in a tile
 * @param columns most values of the innermost loop in a tile
 * @param loads the operands, in the order of their parameters
 */
public record Transposes(Kernel kernel, Loop row, int rows, int columns, List<Expr.Load> loads) {
  /** Elements of a tile: few enough for the second-level cache. */
  private static final int TILE = 32768;

  private static final int COLUMNS = 256;

  /** Fewer rows are not worth a tile. */
  private static final int FEW = 4;

  private static final boolean LITTLE_ENDIAN = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

  /** The transposed operands of a kernel, or null if there are none. */
  static Transposes of(Kernel kernel) {
    if (kernel.grid().size() < 2
        || kernel.phases().size() != 1
        || !(kernel.phases().get(0) instanceof Phase.Emit emit)
        || !emit.loops().isEmpty()) {
      return null;
    }
    List<Expr.Load> found = new ArrayList<>();
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    emit.stores().forEach(s -> collect(s.value(), seen, found));
    Loop axis = kernel.grid().getLast();
    for (Loop row : kernel.grid().subList(0, kernel.grid().size() - 1).reversed()) {
      List<Expr.Load> loads =
          found.stream()
              .filter(l -> l.index().isAffine())
              .filter(l -> l.index().coef(row) == 1 && Math.abs(l.index().coef(axis)) > 1)
              .toList();
      if (!loads.isEmpty() && row.extent() >= FEW) {
        return rewritten(kernel, emit, row, loads);
      }
    }
    return null;
  }

  /** Elements from row to row of a tile; no power of two, or rows would share cache lines. */
  private static int pitch(int columns) {
    return columns + 16;
  }

  /** Elements from row to row of the tiles. */
  int pitch() {
    return pitch(columns);
  }

  private static void collect(Expr e, Set<Expr> seen, List<Expr.Load> out) {
    if (seen.add(e)) {
      if (e instanceof Expr.Load l) {
        out.add(l);
      } else if (e instanceof Expr.Apply a) {
        a.args().forEach(x -> collect(x, seen, out));
      }
    }
  }

  private static Transposes rewritten(
      Kernel kernel, Phase.Emit emit, Loop row, List<Expr.Load> loads) {
    Loop axis = kernel.grid().getLast();
    int columns = (int) Math.min(COLUMNS, axis.extent());
    int rows = TILE / columns;
    List<Kernel.Param> params = new ArrayList<>(kernel.params());
    Map<Expr, Expr> by = new IdentityHashMap<>();
    // Tiles begin at multiples of their rows.
    Index at = Index.of(row).mod(rows).times(pitch(columns)).plus(Index.of(axis));
    for (Expr.Load l : loads) {
      by.put(l, new Expr.Load(params.size(), l.dtype(), at));
      params.add(new Kernel.Param(l.dtype(), (long) rows * pitch(columns), true, true));
    }
    Kernel out =
        new Kernel(
            List.copyOf(params),
            kernel.grid(),
            List.of(KeptValues.replaced(emit, by)),
            kernel.contraction());
    return new Transposes(out, row, rows, columns, loads);
  }

  // ---- copying --------------------------------------------------------------------------------

  /**
   * Copies a tile: element (r, c) comes from {@code src + r * size + c * srcStride} and goes to
   * {@code dst + r * dstStride + c * size}; sizes and strides are in bytes.
   */
  public static void copy(
      long src, long srcStride, long dst, long dstStride, int rows, int columns, int size) {
    switch (size) {
      case 4 -> copy4(src, srcStride, dst, dstStride, rows, columns);
      case 8 -> {
        for (int c = 0; c < columns; c++) {
          for (int r = 0; r < rows; r++) {
            Memory.putLong(
                dst + r * dstStride + 8L * c, Memory.getLong(src + c * srcStride + 8L * r));
          }
        }
      }
      default -> {
        for (int c = 0; c < columns; c++) {
          for (int r = 0; r < rows; r++) {
            Memory.putByte(dst + r * dstStride + c, Memory.getByte(src + c * srcStride + r));
          }
        }
      }
    }
  }

  /** Two rows and two columns at a time, so that there are half as many loads and stores. */
  private static void copy4(
      long src, long srcStride, long dst, long dstStride, int rows, int columns) {
    int c = 0;
    for (; LITTLE_ENDIAN && c + 1 < columns; c += 2) {
      pair(src + c * srcStride, srcStride, dst + 4L * c, dstStride, rows);
    }
    for (; c < columns; c++) {
      column(src + c * srcStride, dst + 4L * c, dstStride, rows);
    }
  }

  private static void column(long src, long dst, long dstStride, int rows) {
    for (int r = 0; r < rows; r++) {
      Memory.putInt(dst + r * dstStride, Memory.getInt(src + 4L * r));
    }
  }

  private static void pair(long src, long srcStride, long dst, long dstStride, int rows) {
    int r = 0;
    for (; r + 1 < rows; r += 2) {
      long a = Memory.getLong(src + 4L * r);
      long b = Memory.getLong(src + 4L * r + srcStride);
      Memory.putLong(dst + r * dstStride, (a & 0xffffffffL) | b << 32);
      Memory.putLong(dst + (r + 1) * dstStride, a >>> 32 | (b & 0xffffffff00000000L));
    }
    if (r < rows) {
      Memory.putInt(dst + r * dstStride, Memory.getInt(src + 4L * r));
      Memory.putInt(dst + r * dstStride + 4, Memory.getInt(src + 4L * r + srcStride));
    }
  }
}
