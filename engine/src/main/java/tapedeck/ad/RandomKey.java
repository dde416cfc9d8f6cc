package tapedeck.ad;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.tensor.RandomBits;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TapedeckException;

/**
 * A key of the counter-based generator Philox 4x32-10 (Salmon et al., "Parallel Random Numbers: As
 * Easy as 1, 2, 3", SC 2011). One key always draws the same numbers, on every device, traced or not;
 * independent numbers come from different keys, which {@link #split} and {@link #fold} derive. Keys
 * are pytrees and may be arguments of any transform.
 *
 * @param data int32 (2)
 */
public record RandomKey(Tensor data) {
  /** Keys are derived under another Philox key than numbers are drawn with, so the two never meet. */
  private static final int DERIVE_0 = 0x5DEECE66;

  private static final int DERIVE_1 = 0x2545F491;

  /** The key of a seed. */
  public static RandomKey of(long seed) {
    return new RandomKey(Tensor.of((int) seed, (int) (seed >>> 32)));
  }

  /**
   * {@code n} independent keys.
   *
   * @throws TapedeckException if n is negative
   */
  public List<RandomKey> split(int n) {
    if (n < 0) {
      throw SourceLine.at(new TapedeckException("[split] the number of keys must not be negative: " + n));
    }
    Tensor rows = derive(data.xor(Tensor.of(DERIVE_0, DERIVE_1)), n);
    List<RandomKey> keys = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      keys.add(new RandomKey(rows.get(i)));
    }
    return keys;
  }

  /** The key for a number, such as a step or a layer; different numbers give independent keys. */
  public RandomKey fold(int i) {
    return new RandomKey(derive(data.xor(Tensor.of(~DERIVE_0 ^ i, ~DERIVE_1)), 1).get(0));
  }

  private static Tensor derive(Tensor key, int n) {
    Shape s = Shape.of(n);
    return Tensor.stack(1, Tensor.apply(new RandomBits(s, 0), key), Tensor.apply(new RandomBits(s, 1), key));
  }

  private Tensor bits(Shape shape, int lane) {
    return Tensor.apply(new RandomBits(shape, lane), data);
  }

  /** Numbers in [0, 1): 24 random bits each for float32, 53 for float64. */
  public Tensor uniform(DType dtype, Shape shape) {
    return uniform(dtype, shape, 0);
  }

  /** Numbers in [0, 1). */
  public Tensor uniform(DType dtype, int... dims) {
    return uniform(dtype, Shape.of(dims));
  }

  private Tensor uniform(DType dtype, Shape shape, int lane) {
    return switch (dtype) {
      case FLOAT32 -> top(bits(shape, lane), 8, DType.FLOAT32).mul(0x1p-24);
      case FLOAT64 ->
          top(bits(shape, lane), 6, DType.FLOAT64)
              .mul(0x1p27)
              .add(top(bits(shape, lane + 1), 5, DType.FLOAT64))
              .mul(0x1p-53);
      case INT32, BOOL ->
          throw SourceLine.at(new DTypeException("[random] needs f32 or f64, not " + dtype));
    };
  }

  private static Tensor top(Tensor bits, int dropped, DType as) {
    return bits.shr(Tensor.full(DType.INT32, bits.shape(), dropped)).cast(as);
  }

  /** Standard normal numbers, by the transform of Box and Muller (1958). */
  public Tensor normal(DType dtype, Shape shape) {
    Tensor u = uniform(dtype, shape, 0);
    Tensor v = uniform(dtype, shape, dtype == DType.FLOAT64 ? 2 : 1);
    // 1-u is in (0, 1], so its logarithm is finite.
    return u.neg().log1p().mul(-2).sqrt().mul(v.mul(2 * Math.PI).cos());
  }

  /** Standard normal numbers. */
  public Tensor normal(DType dtype, int... dims) {
    return normal(dtype, Shape.of(dims));
  }

  /** Booleans that are true with probability {@code p}. */
  public Tensor bernoulli(double p, Shape shape) {
    return uniform(DType.FLOAT32, shape).lt(p);
  }

  /** Booleans that are true with probability {@code p}. */
  public Tensor bernoulli(double p, int... dims) {
    return bernoulli(p, Shape.of(dims));
  }
}
