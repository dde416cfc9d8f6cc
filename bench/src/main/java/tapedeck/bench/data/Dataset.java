package tapedeck.bench.data;

/**
 * Images with labels, one byte a pixel.
 *
 * @param pixels {@code size * features} bytes, image after image
 * @param labels the class of each image, in [0, classes)
 * @param features pixels of an image
 * @param white the byte that stands for 1.0
 */
public record Dataset(byte[] pixels, int[] labels, int features, int classes, int white) {

  public int size() {
    return labels.length;
  }

  /** The chosen images as float32 rows with pixels in [0, 1]. */
  public float[] images(int[] rows) {
    float[] x = new float[Math.multiplyExact(rows.length, features)];
    float scale = 1f / white;
    int to = 0;
    for (int row : rows) {
      int from = row * features;
      for (int k = 0; k < features; k++) {
        x[to++] = (pixels[from + k] & 0xff) * scale;
      }
    }
    return x;
  }

  /** The labels of the chosen images. */
  public int[] labels(int[] rows) {
    int[] y = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      y[i] = labels[rows[i]];
    }
    return y;
  }

  /** The chosen images as a data set of their own. */
  public Dataset select(int[] rows) {
    byte[] p = new byte[Math.multiplyExact(rows.length, features)];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(pixels, rows[i] * features, p, i * features, features);
    }
    return new Dataset(p, labels(rows), features, classes, white);
  }
}
