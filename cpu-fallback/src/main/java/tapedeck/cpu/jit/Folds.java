package tapedeck.cpu.jit;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Reductions across the lanes of a vector. Sums and products fold halves onto each other until one
 * lane is left: the library's own may combine in any order, and this is the same on every run.
 */
public final class Folds {
  private Folds() {}

  public static float foldSUM(FloatVector v) {
    FloatVector x = v;
    for (int half = v.length() / 2; half > 0; half /= 2) {
      x = x.add(x.rearrange(VectorShuffle.iota(x.species(), half, 1, true)));
    }
    return x.lane(0);
  }

  public static float foldPROD(FloatVector v) {
    FloatVector x = v;
    for (int half = v.length() / 2; half > 0; half /= 2) {
      x = x.mul(x.rearrange(VectorShuffle.iota(x.species(), half, 1, true)));
    }
    return x.lane(0);
  }

  public static float foldMAX(FloatVector v) {
    return v.reduceLanes(VectorOperators.MAX);
  }

  public static float foldMIN(FloatVector v) {
    return v.reduceLanes(VectorOperators.MIN);
  }

  public static double foldSUM(DoubleVector v) {
    DoubleVector x = v;
    for (int half = v.length() / 2; half > 0; half /= 2) {
      x = x.add(x.rearrange(VectorShuffle.iota(x.species(), half, 1, true)));
    }
    return x.lane(0);
  }

  public static double foldPROD(DoubleVector v) {
    DoubleVector x = v;
    for (int half = v.length() / 2; half > 0; half /= 2) {
      x = x.mul(x.rearrange(VectorShuffle.iota(x.species(), half, 1, true)));
    }
    return x.lane(0);
  }

  public static double foldMAX(DoubleVector v) {
    return v.reduceLanes(VectorOperators.MAX);
  }

  public static double foldMIN(DoubleVector v) {
    return v.reduceLanes(VectorOperators.MIN);
  }

  public static int foldSUM(IntVector v) {
    IntVector x = v;
    for (int half = v.length() / 2; half > 0; half /= 2) {
      x = x.add(x.rearrange(VectorShuffle.iota(x.species(), half, 1, true)));
    }
    return x.lane(0);
  }

  public static int foldPROD(IntVector v) {
    IntVector x = v;
    for (int half = v.length() / 2; half > 0; half /= 2) {
      x = x.mul(x.rearrange(VectorShuffle.iota(x.species(), half, 1, true)));
    }
    return x.lane(0);
  }

  public static int foldMAX(IntVector v) {
    return v.reduceLanes(VectorOperators.MAX);
  }

  public static int foldMIN(IntVector v) {
    return v.reduceLanes(VectorOperators.MIN);
  }
}
