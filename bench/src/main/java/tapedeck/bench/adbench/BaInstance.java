package tapedeck.bench.adbench;

import java.nio.file.Path;

/**
 * A bundle adjustment: n cameras, m points, p observations. Observation i sees point i mod m with
 * camera i mod n; all cameras, points, weights and features are copies of one.
 *
 * @param camera 3 rotation, 3 centre, focal length, 2 principal point, 2 radial distortion
 * @param point 3 coordinates
 * @param weight of every observation
 * @param feature 2 image coordinates
 */
public record BaInstance(
    int n, int m, int p, double[] camera, double[] point, double weight, double[] feature) {
  public static final int CAMERA = 11;

  /**
   * Reads {@code n m p}, camera, point, weight, feature.
   *
   * @throws tapedeck.ad.type.DataException with file and line where it is not of that form
   */
  public static BaInstance read(Path file) {
    TokenReader in = new TokenReader(file, ' ');
    int n = in.integer("n", 1, 1 << 24);
    int m = in.integer("m", 1, 1 << 24);
    int p = in.integer("p", 1, 1 << 24);
    double[] camera = in.numbers(CAMERA, "a camera parameter");
    double[] point = in.numbers(3, "a point coordinate");
    double weight = in.number("the weight");
    double[] feature = in.numbers(2, "a feature coordinate");
    in.expectEnd();
    return new BaInstance(n, m, p, camera, point, weight, feature);
  }
}
