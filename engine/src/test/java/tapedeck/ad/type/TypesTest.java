package tapedeck.ad.type;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class TypesTest {
  @Test
  void shapesBroadcastAsInNumPy() {
    int[][][] cases = {
      {{1}, {}, {1}},
      {{2}, {1}, {2}},
      {{2, 1}, {2}, {2, 2}},
      {{3, 1, 2}, {1, 3, 2}, {3, 3, 2}},
      {{0}, {1}, {0}},
      {{2, 0}, {1, 1}, {2, 0}}
    };
    for (int[][] c : cases) {
      assertEquals(Shape.of(c[2]), Shape.broadcast(Shape.of(c[0]), Shape.of(c[1])));
      assertEquals(Shape.of(c[2]), Shape.broadcast(Shape.of(c[1]), Shape.of(c[0])));
    }
    assertNull(Shape.broadcast(Shape.of(2), Shape.of(3)));
    assertNull(Shape.broadcast(Shape.of(0), Shape.of(2)));
  }

  @Test
  void shapesKnowTheirLayout() {
    Shape s = Shape.of(2, 3, 4);
    assertArrayEquals(new long[] {12, 4, 1}, s.strides());
    assertEquals(24, s.size());
    assertEquals(4, s.dim(-1));
    assertEquals(Shape.of(2, 4), s.without(1));
    assertEquals(Shape.of(2, 7, 3, 4), s.with(1, 7));
    assertEquals("(2,3,4)", s.toString());
    assertEquals("()", Shape.SCALAR.toString());
    assertEquals(1, Shape.SCALAR.size());
    int[] dims = s.dims();
    dims[0] = 99;
    assertEquals(2, s.dim(0), "a shape does not change");
  }

  @Test
  void shapesThatCannotBe() {
    assertThrows(ShapeException.class, () -> Shape.of(-1));
    assertThrows(ShapeException.class, () -> Shape.of(1 << 30, 1 << 30, 1 << 30));
    assertThrows(ShapeException.class, () -> Shape.of(2).axis("sum", 1));
    assertThrows(ShapeException.class, () -> Shape.of(2).axis("sum", -2));
  }

  @Test
  void typesRound() {
    assertEquals((float) 0.1, DType.FLOAT32.round(0.1));
    assertEquals(0.1, DType.FLOAT64.round(0.1));
    assertEquals(-3, DType.INT32.round(-3.7));
    assertEquals(Integer.MAX_VALUE, DType.INT32.round(1e20));
    assertEquals(1, DType.BOOL.round(0.1));
    assertEquals("f32(2,3)", Aval.of(DType.FLOAT32, 2, 3).toString());
  }

  @Test
  void settingsAreOneTable() {
    List<String> table = Settings.table();
    assertEquals(Settings.values().length, table.size());
    for (int i = 0; i < table.size(); i++) {
      Settings s = Settings.values()[i];
      assertTrue(
          table.get(i).contains(s.key()) && table.get(i).contains(s.variable()), table.get(i));
      assertTrue(s.variable().matches("TAPEDECK_[A-Z_]+"), s.variable());
    }
  }

  @Test
  void aMessageNamesTheCallersLineOnce() {
    ShapeException e = SourceLine.at(new ShapeException("[op] wrong"));
    String message = String.valueOf(e.getMessage());
    assertTrue(message.matches("\\[op] wrong; at TypesTest\\.java:\\d+"), message);
    assertEquals(message, SourceLine.at(e).getMessage());
  }
}
