package tapedeck.ad;

import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import tapedeck.ad.tensor.RandomBits;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TapedeckException;

/**
 * A key of the counter-based generator Philox 4x32-10 (Salmon et al., "Parallel Random Numbers: As
 * Easy as 1, 2, 3", SC 2011). One key always draws the same numbers, on every device, traced or
 * not; independent numbers come from different keys, which {@link #split} and {@link #fold} derive.
 * Keys are pytrees and may be arguments of any transform.
 *
 * @param data int32 (2)
 */
public record RandomKey(Tensor data) {
  /**
   * Keys are derived under another Philox key than numbers are drawn with, so the two never meet.
   */
  private static final int DERIVE_0 = 0x5DEECE66;

  private static final int DERIVE_1 = 0x2545F491;

  /**
   * {@return the key of a seed}
   *
   * @param seed its 64 bits are the key: different seeds give different keys
   */
  public static RandomKey of(long seed) {
    return new RandomKey(Tensor.of((int) seed, (int) (seed >>> 32)));
  }

  /**
   * {@return independent keys, always the same for this one}
   *
   * @param n number of keys; those for a smaller number are the first of them
   * @throws TapedeckException if n is negative
   */
  public List<RandomKey> split(int n) {
    if (n < 0) {
      throw SourceLine.at(
          new TapedeckException("[split] the number of keys must not be negative: " + n));
    }
    return derive(n, DERIVE_0, DERIVE_1);
  }

  /**
   * {@return the key for a number, such as a step or a layer}
   *
   * @param i any number; different ones give independent keys
   */
  public RandomKey fold(int i) {
    return derive(1, ~DERIVE_0 ^ i, ~DERIVE_1).get(0);
  }

  private List<RandomKey> derive(int n, int mask0, int mask1) {
    return Call.apply(
            in -> {
              Tensor key = in.get(0).xor(in.get(1));
              Tensor[] words = {bits(key, Shape.of(n), 0), bits(key, Shape.of(n), 1)};
              Tensor rows = Tensor.stack(1, words);
              return IntStream.range(0, n).mapToObj(rows::get).toList();
            },
            List.of(data, Tensor.of(mask0, mask1)))
        .stream()
        .map(RandomKey::new)
        .toList();
  }

  /** One batch of kernels for the whole formula. */
  private Tensor draw(UnaryOperator<Tensor> formula) {
    return Call.apply(in -> List.of(formula.apply(in.get(0))), List.of(data)).get(0);
  }

  private static Tensor bits(Tensor key, Shape shape, int lane) {
    return Tensor.apply(new RandomBits(shape, lane), key);
  }

  /**
   * {@return numbers in [0, 1): multiples of 2^-24 for float32 and of 2^-53 for float64}
   *
   * @param dtype float32 or float64
   * @param shape extents, of at most 2^31-1 elements
   * @throws DTypeException for other types
   */
  public Tensor uniform(DType dtype, Shape shape) {
    return draw(key -> uniform(key, dtype, shape, 0));
  }

  /**
   * {@return numbers in [0, 1); see {@link #uniform(DType, Shape)}}
   *
   * @param dtype float32 or float64
   * @param dims extents, none for a scalar
   * @throws DTypeException for other types
   */
  public Tensor uniform(DType dtype, int... dims) {
    return uniform(dtype, Shape.of(dims));
  }

  private static Tensor uniform(Tensor key, DType dtype, Shape shape, int lane) {
    return switch (dtype) {
      case FLOAT32 -> top(bits(key, shape, lane), 8, DType.FLOAT32).mul(0x1p-24);
      case FLOAT64 ->
          top(bits(key, shape, lane), 6, DType.FLOAT64)
              .mul(0x1p27)
              .add(top(bits(key, shape, lane + 1), 5, DType.FLOAT64))
              .mul(0x1p-53);
      case INT32, BOOL ->
          throw SourceLine.at(new DTypeException("[random] needs f32 or f64, not " + dtype));
    };
  }

  private static Tensor top(Tensor bits, int dropped, DType as) {
    return bits.shr(Tensor.full(DType.INT32, bits.shape(), dropped)).cast(as);
  }

  /**
   * {@return standard normal numbers, by the transform of Box and Muller (1958)}
   *
   * @param dtype float32 or float64
   * @param shape extents, of at most 2^31-1 elements
   * @throws DTypeException for other types
   */
  public Tensor normal(DType dtype, Shape shape) {
    return draw(
        key -> {
          Tensor u = uniform(key, dtype, shape, 0);
          Tensor v = uniform(key, dtype, shape, dtype == DType.FLOAT64 ? 2 : 1);
          // 1-u is in (0, 1], so its logarithm is finite.
          return u.neg().log1p().mul(-2).sqrt().mul(v.mul(2 * Math.PI).cos());
        });
  }

  /**
   * {@return standard normal numbers; see {@link #normal(DType, Shape)}}
   *
   * @param dtype float32 or float64
   * @param dims extents, none for a scalar
   * @throws DTypeException for other types
   */
  public Tensor normal(DType dtype, int... dims) {
    return normal(dtype, Shape.of(dims));
  }

  /**
   * {@return booleans that are true with probability {@code p}}
   *
   * @param p rounded to float32; all are false for 0 or less and true for 1 or more
   * @param shape extents, of at most 2^31-1 elements
   */
  public Tensor bernoulli(double p, Shape shape) {
    return draw(key -> uniform(key, DType.FLOAT32, shape, 0).lt(p));
  }

  /**
   * {@return booleans that are true with probability {@code p}; see {@link #bernoulli(double,
   * Shape)}}
   *
   * @param p rounded to float32; all are false for 0 or less and true for 1 or more
   * @param dims extents, none for a scalar
   */
  public Tensor bernoulli(double p, int... dims) {
    return bernoulli(p, Shape.of(dims));
  }
}
