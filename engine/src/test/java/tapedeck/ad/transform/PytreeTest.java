package tapedeck.ad.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.TapedeckException;

/** Structures of arguments; constants without memory stand for tensors, so no device is needed. */
class PytreeTest {
  record Layer(Tensor w, Tensor b) {}

  record Model(List<Layer> layers, Map<String, Tensor> extra, Tensor[] pair, int depth) {}

  record Picky(Tensor t) {
    Picky {
      if (t.rank() > 1) {
        throw new IllegalArgumentException("a vector is needed");
      }
    }
  }

  private static Tensor t(int n) {
    return Tensor.zeros(DType.FLOAT32, n);
  }

  private static Model model() {
    return new Model(
        List.of(new Layer(t(1), t(2)), new Layer(t(3), t(4))),
        Map.of("z", t(5), "a", t(6)),
        new Tensor[] {t(7), t(8)},
        2);
  }

  @Test
  void flattensInOrderAndBack() {
    Pytree.Flat f = Pytree.flatten(model());
    int[] sizes = f.leaves().stream().mapToInt(x -> (int) x.size()).toArray();
    assertArrayEquals(new int[] {1, 2, 3, 4, 6, 5, 7, 8}, sizes);
    Model back = (Model) f.tree().unflatten(f.leaves());
    assertSame(f.leaves().get(2), back.layers().get(1).w());
    assertSame(f.leaves().get(4), back.extra().get("a"));
    assertSame(f.leaves().get(7), back.pair()[1]);
    assertEquals(2, back.depth());
    assertEquals(
        List.of(
            ".layers[0].w",
            ".layers[0].b",
            ".layers[1].w",
            ".layers[1].b",
            ".extra.a",
            ".extra.z",
            ".pair[0]",
            ".pair[1]"),
        Pytree.names(f.tree()));
  }

  @Test
  void equalStructuresAreEqual() {
    assertEquals(Pytree.flatten(model()).tree(), Pytree.flatten(model()).tree());
    assertNotEquals(
        Pytree.flatten(List.of(t(1), 3)).tree(), Pytree.flatten(List.of(t(1), 4)).tree());
    assertNotEquals(
        Pytree.flatten(List.of(t(1))).tree(), Pytree.flatten(List.of(t(1), t(1))).tree());
  }

  private enum Part {
    WEIGHT,
    BIAS
  }

  private static final class Opaque {
    @Override
    public String toString() {
      return "opaque";
    }
  }

  @Test
  void keysOfMapsStayWhatTheyAre() {
    Map<Integer, Tensor> byNumber = Map.of(10, t(1), 9, t(2), -1, t(3));
    Pytree.Flat f = Pytree.flatten(byNumber);
    assertEquals(List.of(".-1", ".9", ".10"), Pytree.names(f.tree()));
    assertEquals(byNumber, f.tree().unflatten(f.leaves()));
    Map<Part, Tensor> byPart = new EnumMap<>(Map.of(Part.BIAS, t(1), Part.WEIGHT, t(2)));
    assertEquals(
        Pytree.flatten(byPart).tree(), Pytree.flatten(new HashMap<Part, Tensor>(byPart)).tree());
    Map<Object, Tensor> mixed = Map.of("1", t(1), 1, t(2));
    Pytree.Flat g = Pytree.flatten(mixed);
    assertEquals(2, g.leaves().size());
    assertEquals(mixed, g.tree().unflatten(g.leaves()));
    assertNotEquals(
        Pytree.flatten(Map.of("1", t(1))).tree(), Pytree.flatten(Map.of(1, t(1))).tree());
  }

  @Test
  void keysWithoutAnOrderAreRefused() {
    Map<Opaque, Tensor> map = Map.of(new Opaque(), t(1), new Opaque(), t(2));
    TapedeckException e = assertThrows(TapedeckException.class, () -> Pytree.flatten(map));
    assertTrue(e.getMessage().contains("opaque"), e.getMessage());
    Map<BigDecimal, Tensor> equalInOrder =
        Map.of(new BigDecimal("1.0"), t(1), new BigDecimal("1.00"), t(2));
    assertThrows(TapedeckException.class, () -> Pytree.flatten(equalInOrder));
    Map<String, Tensor> withNull = new HashMap<>();
    withNull.put(null, t(1));
    assertThrows(TapedeckException.class, () -> Pytree.flatten(withNull));
  }

  @Test
  void theNumberOfTensorsMustFit() {
    Pytree tree = Pytree.flatten(new Layer(t(1), t(2))).tree();
    assertEquals(2, tree.size());
    assertThrows(TapedeckException.class, () -> tree.unflatten(List.of(t(1))));
  }

  @Test
  void aConstructorsOwnErrorReachesTheUser() {
    Pytree tree = Pytree.flatten(new Picky(t(1))).tree();
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> tree.unflatten(List.of(Tensor.zeros(DType.FLOAT32, 2, 2))));
    assertEquals("a vector is needed", e.getMessage());
  }
}
