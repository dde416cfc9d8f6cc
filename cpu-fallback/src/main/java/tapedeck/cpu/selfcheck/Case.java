package tapedeck.cpu.selfcheck;

import java.util.List;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.cpu.reference.ReferenceEvaluator;

/**
 * A tape to run on a device, with inputs and the reference's outputs.
 *
 * @param tolerance allowed error of a float output, relative to the larger of {@code floor} and its
 *     largest element; with a floor of 0 to each element itself
 */
record Case(
    String check,
    String label,
    Tape tape,
    List<double[]> inputs,
    List<double[]> expected,
    double tolerance,
    double floor) {

  static Case of(
      String check,
      String label,
      Tape tape,
      List<double[]> inputs,
      double tolerance,
      double floor) {
    return new Case(
        check, label, tape, inputs, ReferenceEvaluator.evaluate(tape, inputs), tolerance, floor);
  }

  /** Compares outputs of a device. */
  CheckResult compare(String op, DType dtype, List<double[]> actual) {
    double worst = 0;
    String detail = "";
    for (int k = 0; k < expected.size(); k++) {
      Aval type = tape.outputAvals().get(k);
      double scale = floor == 0 ? 0 : Math.max(floor, largest(expected.get(k)));
      for (int i = 0; i < expected.get(k).length; i++) {
        double e = type.dtype().round(expected.get(k)[i]);
        double error = error(e, actual.get(k)[i], type.dtype(), scale);
        if (error > worst) {
          worst = error;
          detail =
              "output "
                  + k
                  + " "
                  + type
                  + "["
                  + i
                  + "] is "
                  + actual.get(k)[i]
                  + ", expected "
                  + e
                  + " ("
                  + String.format("%.1f", error)
                  + " times the tolerance "
                  + tolerance
                  + ")";
        }
      }
    }
    return new CheckResult(op, check, dtype, label, worst, worst > 1 ? detail : "");
  }

  private double error(double expected, double actual, DType type, double scale) {
    if (expected == actual || (Double.isNaN(expected) && Double.isNaN(actual))) {
      return 0;
    }
    if (!type.isFloat()
        || Double.isNaN(actual)
        || Double.isNaN(expected)
        || Double.isInfinite(expected)
        || Double.isInfinite(actual)) {
      return Double.POSITIVE_INFINITY;
    }
    // A device may flush subnormal numbers to zero.
    double tiny = type == DType.FLOAT32 ? Float.MIN_NORMAL : Double.MIN_NORMAL;
    double allowed = tolerance * (scale == 0 ? Math.abs(expected) : scale) + 2 * tiny;
    return Math.abs(expected - actual) / allowed;
  }

  private static double largest(double[] x) {
    double m = 0;
    for (double v : x) {
      m = Double.isInfinite(v) ? m : Math.max(m, Math.abs(v));
    }
    return Double.isNaN(m) ? 0 : m;
  }
}
