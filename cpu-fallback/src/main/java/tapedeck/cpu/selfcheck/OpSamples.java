package tapedeck.cpu.selfcheck;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.tensor.Cast;
import tapedeck.ad.tensor.CustomVjp;
import tapedeck.ad.tensor.Elementwise;
import tapedeck.ad.tensor.Full;
import tapedeck.ad.tensor.Iota;
import tapedeck.ad.tensor.Matmul;
import tapedeck.ad.tensor.Movement;
import tapedeck.ad.tensor.Primitive;
import tapedeck.ad.tensor.RandomBits;
import tapedeck.ad.tensor.Reduce;
import tapedeck.ad.tensor.ScatterAdd;
import tapedeck.ad.tensor.StopGradient;
import tapedeck.ad.tensor.Take;

/** The table of operations: one row per primitive and per method that is composed of primitives. */
public final class OpSamples {
  private OpSamples() {}

  /** {@return all rows: elementwise primitives, other primitives, composites} */
  public static List<OpSample> all() {
    List<OpSample> rows = new ArrayList<>();
    rows.addAll(ElementwiseRows.rows());
    rows.addAll(StructureRows.rows());
    rows.addAll(CompositeRows.rows());
    return rows;
  }

  /**
   * {@return the name under which a row stands for a primitive, such as {@code Elementwise.EXP} or
   * {@code Reduce.SUM}}
   *
   * @param p a primitive, whose other parameters do not matter
   */
  public static String key(Primitive p) {
    return switch (p) {
      case Elementwise e -> "Elementwise." + e.name();
      case Reduce r -> "Reduce." + r.reducer().name();
      case Cast _,
          StopGradient _,
          Movement _,
          Matmul _,
          Take _,
          ScatterAdd _,
          Iota _,
          Full _,
          RandomBits _,
          CustomVjp _ ->
          type(p.getClass());
    };
  }

  /** {@return the keys of all primitives that there are, from the sealed hierarchy} */
  public static Set<String> primitives() {
    Set<String> keys = new TreeSet<>();
    collect(Primitive.class, keys);
    return keys;
  }

  private static void collect(Class<?> type, Set<String> keys) {
    if (type.isSealed() && !type.isEnum()) {
      for (Class<?> sub : type.getPermittedSubclasses()) {
        collect(sub, keys);
      }
    } else if (type == Elementwise.class) {
      for (Elementwise e : Elementwise.values()) {
        keys.add(key(e));
      }
    } else if (type == Reduce.class) {
      for (Reducer r : Reducer.values()) {
        keys.add(key(new Reduce(r, List.of())));
      }
    } else {
      keys.add(type(type));
    }
  }

  private static String type(Class<?> type) {
    String outer =
        type.getEnclosingClass() == null ? "" : type.getEnclosingClass().getSimpleName() + ".";
    return outer + type.getSimpleName();
  }
}
