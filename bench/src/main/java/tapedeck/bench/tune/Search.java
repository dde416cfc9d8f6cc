package tapedeck.bench.tune;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.BooleanSupplier;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Parameter;
import tapedeck.opencl.tuning.Parameters;

/**
 * Coordinate descent with random restarts over the possible parameters of a template. From a point
 * the other values of one parameter after the other are tried, in random order, and the best is
 * moved to, until no parameter alone makes it better. With the same costs and seed it tries the
 * same points in the same order.
 */
public final class Search {
  private static final int RESTARTS = 8;
  private static final int KEPT = 3;

  /** A move must be better by this factor: anything less is noise. */
  private static final double BETTER = 0.99;

  /** What a point costs. */
  @FunctionalInterface
  public interface Objective {
    /**
     * The cost of a point relative to that of the start.
     *
     * @param candidate possible parameters
     * @param bound a cost at which the measurement may be given up
     * @return its cost, or nothing where it failed or was given up
     */
    OptionalDouble cost(Parameters candidate, double bound);
  }

  /**
   * A point with its cost.
   *
   * @param parameters the point
   * @param cost time over that of the start
   */
  public record Found(Parameters parameters, double cost) {}

  /**
   * The outcome.
   *
   * @param best points that are better than the start, best first
   * @param possible number of points in the space
   * @param tried how many of them were asked for their cost
   */
  public record Result(List<Found> best, int possible, int tried) {

    /** Copies the points. */
    public Result {
      best = List.copyOf(best);
    }
  }

  private final Hardware hardware;
  private final Objective objective;
  private final BooleanSupplier expired;
  private final Random random;
  private final Map<Parameters, Double> costs = new HashMap<>();

  private Search(Hardware hardware, Objective objective, BooleanSupplier expired, long seed) {
    this.hardware = hardware;
    this.objective = objective;
    this.expired = expired;
    this.random = new Random(seed);
  }

  /**
   * Searches until the space is exhausted, nothing better is found, or time is up.
   *
   * @param start the parameters in force, whose cost is 1
   * @param hardware limits that parameters must keep
   * @param expired whether time is up
   */
  public static Result run(
      Parameters start,
      Hardware hardware,
      Objective objective,
      BooleanSupplier expired,
      long seed) {
    Search s = new Search(hardware, objective, expired, seed);
    List<Parameters> space = s.space(start);
    s.costs.put(start, 1.0);
    s.descend(start);
    Collections.shuffle(space, s.random);
    int restarts = 0;
    for (Parameters p : space) {
      if (restarts == RESTARTS || expired.getAsBoolean()) {
        break;
      }
      // A point that is far worse is no start, so a restart costs little where it fails.
      if (!s.costs.containsKey(p) && s.cost(p, 2) < 2) {
        restarts++;
        s.descend(p);
      }
    }
    List<Found> best = new ArrayList<>();
    s.costs.forEach(
        (p, c) -> {
          if (c < BETTER) {
            best.add(new Found(p, c));
          }
        });
    best.sort(
        Comparator.comparingDouble(Found::cost).thenComparing(f -> f.parameters().toString()));
    return new Result(
        best.subList(0, Math.min(KEPT, best.size())), space.size(), s.costs.size() - 1);
  }

  /** All points whose values are candidates and that the device can do. */
  private List<Parameters> space(Parameters start) {
    List<Parameters> points = List.of(start);
    for (Parameter p : start.template().parameters()) {
      List<Parameters> next = new ArrayList<>();
      for (Parameters q : points) {
        p.candidates().forEach(v -> next.add(q.with(p.name(), v)));
      }
      points = next;
    }
    return new ArrayList<>(points.stream().filter(p -> p.problem(hardware).isEmpty()).toList());
  }

  private double cost(Parameters p, double bound) {
    Double known = costs.get(p);
    if (known != null) {
      return known;
    }
    double c = objective.cost(p, bound).orElse(Double.POSITIVE_INFINITY);
    costs.put(p, c);
    return c;
  }

  private void descend(Parameters start) {
    Parameters at = start;
    double cost = costs.get(start);
    boolean moved = true;
    while (moved) {
      moved = false;
      List<Parameter> order = new ArrayList<>(start.template().parameters());
      Collections.shuffle(order, random);
      for (Parameter p : order) {
        Parameters from = at;
        for (int v : p.candidates()) {
          Parameters q = from.with(p.name(), v);
          if (expired.getAsBoolean()) {
            return;
          }
          if (q.problem(hardware).isEmpty()) {
            double c = cost(q, cost);
            if (c < BETTER * cost) {
              at = q;
              cost = c;
              moved = true;
            }
          }
        }
      }
    }
  }
}
