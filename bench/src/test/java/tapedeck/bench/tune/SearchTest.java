package tapedeck.bench.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Profile;
import tapedeck.opencl.tuning.Template;

/** What is tried and found, with costs by formula instead of a device. */
class SearchTest {
  private static final Hardware GPU = new Hardware(Profile.GPU, "d", "1", "", "v", 512, 48 << 10);
  private static final Parameters START =
      new Parameters(Template.PRODUCT_MIDDLE, List.of(64, 16, 1, 256, 1));
  private static final Parameters BEST =
      new Parameters(Template.PRODUCT_MIDDLE, List.of(32, 8, 4, 64, 2));

  /** 1 at the start, less towards the best point. */
  private static double cost(Parameters p) {
    return (1 + distance(p)) / (1 + distance(START));
  }

  private static double distance(Parameters p) {
    double sum = 0;
    for (int i = 0; i < p.values().size(); i++) {
      sum += Math.abs(Math.log((double) p.values().get(i) / BEST.values().get(i)));
    }
    return sum;
  }

  private static Search.Result run(long seed, Search.Objective objective) {
    return Search.run(START, GPU, objective, () -> false, seed);
  }

  @Test
  void findsTheBestPointAmongCoupledParameters() {
    for (long seed = 0; seed < 5; seed++) {
      Search.Result r = run(seed, (p, bound) -> OptionalDouble.of(cost(p)));
      assertEquals(BEST, r.best().getFirst().parameters(), "seed " + seed);
      assertEquals(cost(BEST), r.best().getFirst().cost());
      assertTrue(r.best().get(1).cost() >= r.best().get(0).cost());
      assertTrue(r.tried() < r.possible(), r.tried() + " of " + r.possible());
    }
  }

  @Test
  void asksOnlyForPossiblePointsAndEachOnce() {
    List<Parameters> asked = new ArrayList<>();
    Search.Result r =
        run(
            3,
            (p, bound) -> {
              assertTrue(p.problem(GPU).isEmpty(), p + ": " + p.problem(GPU));
              asked.add(p);
              return OptionalDouble.of(cost(p));
            });
    assertEquals(asked.size(), asked.stream().distinct().count());
    assertEquals(asked.size(), r.tried());
  }

  @Test
  void sameCostsAndSeedGiveTheSameOrder() {
    List<List<Parameters>> orders = new ArrayList<>();
    for (long seed : new long[] {1, 1, 2}) {
      List<Parameters> asked = new ArrayList<>();
      run(
          seed,
          (p, bound) -> {
            asked.add(p);
            return OptionalDouble.of(cost(p));
          });
      orders.add(asked);
    }
    assertEquals(orders.get(0), orders.get(1));
    assertNotEquals(orders.get(0), orders.get(2));
  }

  @Test
  void failuresAreNoObstacle() {
    Search.Result r =
        run(
            0,
            (p, bound) ->
                p.get("step") == 16 ? OptionalDouble.empty() : OptionalDouble.of(cost(p)));
    assertEquals(BEST, r.best().getFirst().parameters());
    Search.Result none = run(0, (p, bound) -> OptionalDouble.empty());
    assertEquals(List.of(), none.best());
    assertEquals(none.possible() - 1, none.tried(), "every other point was tried");
  }

  @Test
  void noiseIsNotAnImprovement() {
    assertEquals(List.of(), run(0, (p, bound) -> OptionalDouble.of(0.995)).best());
  }

  @Test
  void stopsWhenTimeIsUp() {
    int[] left = {7};
    Search.Result r =
        Search.run(
            START,
            GPU,
            (p, bound) -> {
              left[0]--;
              return OptionalDouble.of(cost(p));
            },
            () -> left[0] <= 0,
            0);
    assertEquals(7, r.tried());
  }
}
