package tapedeck.bench.adbench;

import java.nio.file.Path;

/**
 * A sequence model of l layers with b cells each on a sequence of c rows of b.
 *
 * @param main 2l rows of 4b: weights, then biases, of each layer
 * @param extra 3 rows of b: input weight, output weight, output bias
 * @param state 2l rows of b: hidden, then cell, of each layer
 * @param sequence c rows of b
 */
public record LstmInstance(
    int l, int c, int b, double[] main, double[] extra, double[] state, double[] sequence) {

  /**
   * Reads {@code l c b}, main, extra, state, sequence.
   *
   * @throws tapedeck.ad.type.DataException with file and line where it is not of that form
   */
  public static LstmInstance read(Path file) {
    TokenReader in = new TokenReader(file, ' ');
    int l = in.integer("l", 1, 1 << 10);
    int c = in.integer("c", 2, 1 << 24);
    int b = in.integer("b", 1, 1 << 14);
    in.checkCount(
        8L * l * b + 3L * b + 2L * l * b + (long) c * b, "parameters, state and sequence");
    double[] main = in.numbers(8 * l * b, "a parameter");
    double[] extra = in.numbers(3 * b, "an extra parameter");
    double[] state = in.numbers(2 * l * b, "a state");
    double[] sequence = in.numbers(c * b, "a sequence element");
    in.expectEnd();
    return new LstmInstance(l, c, b, main, extra, state, sequence);
  }
}
