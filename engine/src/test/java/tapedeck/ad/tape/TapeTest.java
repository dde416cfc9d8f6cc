package tapedeck.ad.tape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import tapedeck.ad.tensor.Elementwise;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.TracingException;
import tapedeck.ad.type.ValidationException;

/** Tracing, printing and checking of tapes; needs no device. */
class TapeTest {
  private static final Aval V = Aval.of(DType.FLOAT32, 3);

  private static Tape product() {
    return Trace.closed(in -> List.of(in.get(0).mul(in.get(1)).sin()), List.of(V, V));
  }

  @Test
  void printsAsText() {
    String[] lines = product().toString().split("\n");
    assertEquals(4, lines.length);
    assertEquals("inputs  v0:f32(3) v1:f32(3)", lines[0]);
    assertTrue(lines[1].startsWith("  v2:f32(3) = mul v0 v1   # TapeTest.java:"), lines[1]);
    assertTrue(lines[2].startsWith("  v3:f32(3) = sin v2   # TapeTest.java:"), lines[2]);
    assertEquals("outputs v3", lines[3]);
  }

  @Test
  void printsAsAGraph() {
    String dot = product().toDot();
    assertTrue(dot.startsWith("digraph tape {") && dot.endsWith("}\n"), dot);
    for (String part :
        List.of(
            "n0 [label=\"input v0\"]",
            "n2 [label=\"mul\"]",
            "n0 -> n2 [label=\"f32(3)\"]",
            "n2 -> n3",
            "n3 -> o0")) {
      assertTrue(dot.contains(part), () -> part + " in " + dot);
    }
  }

  @Test
  void equalFunctionsGiveEqualTapes() {
    assertEquals(product(), product());
    assertEquals(product().hashCode(), product().hashCode());
    assertNotEquals(
        product(), Trace.closed(in -> List.of(in.get(0).mul(in.get(1)).cos()), List.of(V, V)));
  }

  @Test
  void whatNothingUsesIsLeftOut() {
    Tape t =
        Trace.closed(
            in -> {
              Tensor unused = in.get(0).exp().tanh();
              assertTrue(unused.isTraced());
              return List.of(in.get(0).neg());
            },
            List.of(V));
    assertEquals(1, t.eqns().size());
    assertEquals(Elementwise.NEG, t.eqns().get(0).primitive());
  }

  @Test
  void tracesAreIndependent() {
    TracingException e =
        assertThrows(
            TracingException.class,
            () ->
                Trace.closed(
                    outer -> {
                      Trace.closed(inner -> List.of(inner.get(0).add(outer.get(0))), List.of(V));
                      return outer;
                    },
                    List.of(V)));
    assertTrue(e.getMessage().contains("captured"), e.getMessage());
  }

  private static Tape with(Tape t, UnaryOperator<List<Eqn>> change) {
    return new Tape(t.inputs(), t.consts(), change.apply(new ArrayList<>(t.eqns())), t.outputs());
  }

  private static void broken(String why, Tape t) {
    ValidationException e =
        assertThrows(ValidationException.class, () -> TapeChecker.check("test", t));
    assertTrue(
        e.getMessage().startsWith("[test] ") && e.getMessage().contains(why), e.getMessage());
  }

  @Test
  void theCheckerFindsBrokenTapes() {
    TapeChecker.check("test", product());
    broken("v2 is used before it is assigned", with(product(), e -> e.reversed()));
    broken("is never assigned", with(product(), e -> e.subList(0, 1)));
    broken(
        "v2 is assigned twice",
        with(
            product(),
            e -> {
              e.add(1, e.get(0));
              return e;
            }));
    broken(
        "the shape rule gives [f32(3)]",
        with(
            product(),
            e -> {
              Eqn sin = e.get(1);
              Var wrong = new Var(sin.out().id(), Aval.of(DType.FLOAT32, 4));
              e.set(1, new Eqn(sin.primitive(), sin.ins(), List.of(wrong), sin.source()));
              return e;
            }));
    broken(
        "takes bool or int32 operands",
        with(
            product(),
            e -> {
              e.set(0, new Eqn(Elementwise.AND, e.get(0).ins(), e.get(0).outs(), ""));
              return e;
            }));
  }

  @Test
  void aBrokenTapeIsShownWithItsNeighbours() {
    ValidationException e =
        assertThrows(
            ValidationException.class,
            () -> TapeChecker.check("fuse", with(product(), l -> l.reversed())));
    assertTrue(e.getMessage().contains("\n> [v3] = sin [v2]   # TapeTest.java:"), e.getMessage());
    assertTrue(e.getMessage().contains("\n  [v2] = mul [v0, v1]"), e.getMessage());
  }
}
