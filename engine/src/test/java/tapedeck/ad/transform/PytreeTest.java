package tapedeck.ad.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

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
