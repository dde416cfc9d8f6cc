package tapedeck.opencl.tuning;

import java.util.List;

/**
 * One number of a template.
 *
 * @param name its name in databases
 * @param min least value that a kernel can be written with
 * @param max largest such value
 * @param candidates values that a search tries, in ascending order
 */
public record Parameter(String name, int min, int max, List<Integer> candidates) {

  /** Copies the candidates. */
  public Parameter {
    candidates = List.copyOf(candidates);
  }

  /** A parameter whose limits are the first and the last candidate. */
  static Parameter of(String name, Integer... candidates) {
    return new Parameter(
        name, candidates[0], candidates[candidates.length - 1], List.of(candidates));
  }
}
