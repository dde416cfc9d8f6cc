package tapedeck.bench.adbench;

import java.nio.file.Path;

/**
 * An instance whose values and derivatives are computed on the default device. Inputs are uploaded
 * when it is made; the methods return when the results are on the host.
 */
public interface AdbenchProblem {

  /** Sizes, for people. */
  String describe();

  /** All values of the objective. */
  double[] objective();

  /** All numbers of the gradient or Jacobian, in the order of ADBench's files. */
  double[] derivative();

  /** Writes values in ADBench's form. */
  void writeObjective(Path file, double[] values);

  /** Writes a derivative in ADBench's form. */
  void writeDerivative(Path file, double[] derivative);

  /**
   * The numbers of a derivative in a file of ADBench's form.
   *
   * @throws tapedeck.ad.type.DataException if the file does not belong to this instance
   */
  double[] readDerivative(Path file);
}
