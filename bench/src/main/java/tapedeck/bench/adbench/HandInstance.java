package tapedeck.bench.adbench;

import java.nio.file.Path;

/**
 * A hand to be fitted to measured points.
 *
 * @param correspondences of each point: its vertex, or in the complicated form its triangle
 * @param points n rows of 3
 * @param us n rows of 2 barycentric coordinates in the complicated form, else empty
 * @param theta 3 rotation, 3 translation, 4 angles for each of 5 fingers
 */
public record HandInstance(
    HandModel model, int[] correspondences, double[] points, double[] us, double[] theta) {
  public static final int THETA = 26;

  public boolean isComplicated() {
    return us.length > 0;
  }

  /**
   * Reads {@code n n_theta}, correspondences with points, the us in the complicated form, theta.
   * The number of numbers tells the form.
   *
   * @throws tapedeck.ad.type.DataException with file and line where it is not of that form
   */
  public static HandInstance read(Path file, HandModel model) {
    TokenReader in = new TokenReader(file, ' ');
    int n = in.integer("the number of points", 1, 1 << 24);
    int count = in.integer("the number of parameters", THETA, THETA);
    in.checkCount(4L * n + count, "points and parameters");
    boolean complicated = in.remaining() > 4L * n + count;
    int most = (complicated ? model.triangles().length : model.vertices()) - 1;
    int[] correspondences = new int[n];
    double[] points = new double[3 * n];
    for (int i = 0; i < n; i++) {
      correspondences[i] = in.integer("a correspondence", 0, most);
      for (int j = 0; j < 3; j++) {
        points[3 * i + j] = in.number("a point");
      }
    }
    double[] us = complicated ? in.numbers(2 * n, "a barycentric coordinate") : new double[0];
    double[] theta = in.numbers(count, "a parameter");
    in.expectEnd();
    return new HandInstance(model, correspondences, points, us, theta);
  }
}
