package tapedeck.ad.kir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Index arithmetic against plain integer arithmetic at every point of the loops. */
class IndexTest {
  private static final Loop I = new Loop(0, 5);
  private static final Loop J = new Loop(1, 4);
  private static final Loop K = new Loop(2, 3);

  private static long at(Index index, Map<Loop, Long> point) {
    long v = index.base();
    for (Index.Term t : index.terms()) {
      v +=
          t.coef()
              * switch (t.atom()) {
                case Index.Var x -> Objects.requireNonNull(point.get(x.loop()));
                case Index.Div d -> divided(at(d.arg(), point), d.by());
                case Index.Mod m ->
                    at(m.arg(), point) - divided(at(m.arg(), point), m.by()) * m.by();
                case Index.Dyn d -> throw new AssertionError("no data here");
              };
    }
    return v;
  }

  private static long divided(long a, long by) {
    assertTrue(a >= 0, "a dividend is never negative");
    return a / by;
  }

  private interface Check {
    void at(Map<Loop, Long> point);
  }

  private static void everywhere(Check check) {
    for (long i = 0; i < 5; i++) {
      for (long j = 0; j < 4; j++) {
        for (long k = 0; k < 3; k++) {
          check.at(Map.of(I, i, J, j, K, k));
        }
      }
    }
  }

  @Test
  void agreesWithIntegerArithmetic() {
    SplittableRandom r = new SplittableRandom(11);
    for (int n = 0; n < 500; n++) {
      Index x =
          Index.of(I)
              .times(r.nextInt(-6, 7))
              .plus(Index.of(J).times(r.nextInt(-6, 13)))
              .plus(Index.of(K).times(r.nextInt(13)))
              .plus(r.nextInt(13));
      Index positive = x.min() < 0 ? x.plus(-x.min()) : x;
      long by = r.nextInt(1, 9);
      long then = r.nextInt(1, 5);
      Index div = positive.div(by);
      Index mod = positive.mod(by);
      Index nested = div.div(then);
      Index whole = div.times(by).plus(mod);
      everywhere(
          p -> {
            long v = at(positive, p);
            assertEquals(v / by, at(div, p));
            assertEquals(v % by, at(mod, p));
            assertEquals(v / by / then, at(nested, p));
            assertEquals(v, at(whole, p));
            assertTrue(positive.min() <= v && v <= positive.max());
            assertTrue(mod.min() <= v % by && v % by <= mod.max());
          });
    }
  }

  @Test
  void aReshapeThatIsUndoneLeavesAnAffineIndex() {
    // (5,4) seen as (20), and that as (5,4) again.
    Index flat = Index.of(I).times(4).plus(Index.of(J));
    assertEquals(Index.of(I), flat.div(4));
    assertEquals(Index.of(J), flat.mod(4));
    Index other = flat.div(3).times(3).plus(flat.mod(3));
    assertEquals(flat, other);
    assertTrue(other.isAffine());
  }

  @Test
  void theOrderOfTermsDoesNotMatter() {
    Index a = Index.of(I).times(2).plus(Index.of(J)).plus(3);
    Index b = Index.of(J).plus(3).plus(Index.of(I)).plus(Index.of(I));
    assertEquals(a, b);
    assertEquals(Index.of(3), a.plus(Index.of(I).times(-2)).plus(Index.of(J).times(-1)));
    assertEquals(2, a.coef(I));
    assertEquals(0, a.coef(K));
    assertTrue(a.dependsOn(J) && !a.dependsOn(K));
  }

  @Test
  void loopsOfOneIterationVanish() {
    assertEquals(Index.ZERO, Index.of(new Loop(7, 1)));
    assertEquals(Index.ZERO, Index.of(I).mod(1));
    assertEquals(Index.of(I), Index.of(I).div(1));
    assertEquals(Index.ZERO, Index.of(I).div(5));
  }
}
