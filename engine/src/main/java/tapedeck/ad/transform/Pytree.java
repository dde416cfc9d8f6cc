package tapedeck.ad.transform;

import java.lang.reflect.Array;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.TapedeckException;

/**
 * Structure of an argument or result: tensors, records, lists, maps and object arrays of them,
 * nested. Anything else is a static value, compared with {@code equals}. Records are rebuilt with
 * their canonical constructor.
 */
public sealed interface Pytree {
  /** A tensor. */
  record Leaf() implements Pytree {
    @Override
    public String toString() {
      return "tensor";
    }
  }

  /**
   * A value that is part of the structure.
   *
   * @param value anything that is no node of a pytree; an array of primitives equals only itself
   */
  record Static(@Nullable Object value) implements Pytree {
    @Override
    public String toString() {
      return String.valueOf(value);
    }
  }

  /**
   * A record, with its components in order.
   *
   * @param type class of the record
   * @param parts one structure per component
   */
  record Rec(Class<?> type, List<Pytree> parts) implements Pytree {
    @Override
    public String toString() {
      return type.getSimpleName() + parts;
    }
  }

  /**
   * A list.
   *
   * @param parts one structure per element; rebuilt as an immutable list
   */
  record Sequence(List<Pytree> parts) implements Pytree {
    @Override
    public String toString() {
      return parts.toString();
    }
  }

  /**
   * An array of objects.
   *
   * @param component element type of the array
   * @param parts one structure per element
   */
  record Arr(Class<?> component, List<Pytree> parts) implements Pytree {
    @Override
    public String toString() {
      return component.getSimpleName() + parts;
    }
  }

  /**
   * A map, with its keys in ascending order.
   *
   * @param keys the map's keys: in their natural order if they have one in common, else by class
   *     and text
   * @param parts one structure per key
   */
  record Mapping(List<Object> keys, List<Pytree> parts) implements Pytree {
    @Override
    public String toString() {
      return keys + "=" + parts;
    }
  }

  /**
   * A structure and its tensors in order.
   *
   * @param tree the structure
   * @param leaves as many tensors as the structure has leaves
   */
  record Flat(Pytree tree, List<Tensor> leaves) {}

  /**
   * {@return the structure of an object and its tensors in order}
   *
   * @param o a tensor, record, list, map, array or static value
   * @throws TapedeckException if a record's package is not open to the engine, or keys of a map
   *     have no order
   */
  static Flat flatten(Object o) {
    List<Tensor> leaves = new ArrayList<>();
    return new Flat(flatten(o, leaves), leaves);
  }

  private static Pytree flatten(Object o, List<Tensor> leaves) {
    switch (o) {
      case Tensor t -> {
        leaves.add(t);
        return new Leaf();
      }
      case Record r -> {
        List<Pytree> parts = new ArrayList<>();
        RecordType type = RecordType.of(r.getClass());
        for (int i = 0; i < type.size(); i++) {
          parts.add(flatten(type.read(r, i), leaves));
        }
        return new Rec(r.getClass(), parts);
      }
      case List<?> l -> {
        return new Sequence(l.stream().map(e -> flatten(e, leaves)).toList());
      }
      case Map<?, ?> m -> {
        List<Object> keys = sorted(m.keySet());
        List<Pytree> parts = keys.stream().map(k -> flatten(m.get(k), leaves)).toList();
        return new Mapping(keys, parts);
      }
      case Object[] a -> {
        List<Pytree> parts = new ArrayList<>();
        for (Object e : a) {
          parts.add(flatten(e, leaves));
        }
        return new Arr(a.getClass().getComponentType(), parts);
      }
      case null, default -> {
        return new Static(o);
      }
    }
  }

  /** {@return the number of tensors} */
  default int size() {
    return switch (this) {
      case Leaf l -> 1;
      case Static s -> 0;
      case Rec r -> sum(r.parts());
      case Sequence s -> sum(s.parts());
      case Arr a -> sum(a.parts());
      case Mapping m -> sum(m.parts());
    };
  }

  /** Keys in an order that does not depend on the kind of map, so that equal maps compile once. */
  private static List<Object> sorted(Set<?> keys) {
    if (keys.stream().anyMatch(Objects::isNull)) {
      throw new TapedeckException("[pytree] a map has the key null");
    }
    boolean natural =
        keys.stream().allMatch(Comparable.class::isInstance)
            && keys.stream().map(Object::getClass).distinct().count() <= 1;
    Comparator<Object> order =
        natural
            ? (a, b) -> compare((Comparable<?>) a, b)
            : Comparator.comparing((Object k) -> k.getClass().getName())
                .thenComparing(Object::toString);
    List<Object> out = keys.stream().sorted(order).collect(Collectors.toUnmodifiableList());
    for (int i = 1; i < out.size(); i++) {
      if (order.compare(out.get(i - 1), out.get(i)) == 0) {
        throw new TapedeckException(
            "[pytree] two keys of a map have no order: both are "
                + out.get(i).getClass().getName()
                + " "
                + out.get(i));
      }
    }
    return out;
  }

  /** Compares keys of one class. */
  @SuppressWarnings("unchecked")
  private static <K> int compare(Comparable<K> a, Object b) {
    return a.compareTo((K) b);
  }

  private static int sum(List<Pytree> parts) {
    return parts.stream().mapToInt(Pytree::size).sum();
  }

  /**
   * {@return an object of this structure with the given tensors}
   *
   * @param leaves {@link #size} tensors, in the order of {@link #flatten}
   * @throws TapedeckException if there are too few or too many
   */
  default Object unflatten(List<Tensor> leaves) {
    if (leaves.size() != size()) {
      throw new TapedeckException(
          "[pytree] " + size() + " tensors are needed, not " + leaves.size());
    }
    return build(leaves.iterator());
  }

  private Object build(Iterator<Tensor> leaves) {
    return switch (this) {
      case Leaf l -> leaves.next();
      case Static s -> s.value();
      case Rec r ->
          RecordType.of(r.type()).construct(r.parts().stream().map(p -> p.build(leaves)).toArray());
      case Sequence s -> s.parts().stream().map(p -> p.build(leaves)).toList();
      case Arr a -> {
        Object[] out = (Object[]) Array.newInstance(a.component(), a.parts().size());
        for (int i = 0; i < out.length; i++) {
          out[i] = a.parts().get(i).build(leaves);
        }
        yield out;
      }
      case Mapping m -> {
        Map<Object, Object> out = new LinkedHashMap<>();
        for (int i = 0; i < m.keys().size(); i++) {
          out.put(m.keys().get(i), m.parts().get(i).build(leaves));
        }
        yield out;
      }
    };
  }

  /**
   * {@return the name of every leaf, such as {@code .w1} or {@code [2].bias}; an argument that is a
   * tensor has an empty name}
   *
   * @param tree the structure; its leaves are named in order
   */
  static List<String> names(Pytree tree) {
    List<String> out = new ArrayList<>();
    name(tree, "", out);
    return out;
  }

  private static void name(Pytree tree, String path, List<String> out) {
    switch (tree) {
      case Leaf l -> out.add(path);
      case Static s -> {}
      case Rec r -> {
        RecordComponent[] c = r.type().getRecordComponents();
        for (int i = 0; i < c.length; i++) {
          name(r.parts().get(i), path + "." + c[i].getName(), out);
        }
      }
      case Sequence s -> each(s.parts(), path, out);
      case Arr a -> each(a.parts(), path, out);
      case Mapping m -> {
        for (int i = 0; i < m.keys().size(); i++) {
          name(m.parts().get(i), path + "." + m.keys().get(i), out);
        }
      }
    }
  }

  private static void each(List<Pytree> parts, String path, List<String> out) {
    for (int i = 0; i < parts.size(); i++) {
      name(parts.get(i), path + "[" + i + "]", out);
    }
  }
}
