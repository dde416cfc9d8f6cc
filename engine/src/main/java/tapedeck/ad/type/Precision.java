package tapedeck.ad.type;

import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * How accurately the products inside a float32 matrix product are computed; sums are float32 in any
 * case. A device without a faster way computes as with {@link #HIGHEST}, and so do products of
 * other types. The names are those of JAX's {@code jax.lax.Precision}, with bfloat16 besides.
 */
public enum Precision {
  /**
   * Operands may be rounded to bfloat16, which keeps 7 bits of the 23 of a significand and all of
   * the exponent: the error of a product is at most about 2^-7 of the sum of the absolute values of
   * its terms.
   */
  BFLOAT16,
  /**
   * Operands may be rounded to TensorFloat-32, which keeps 10 bits of the 23 of a significand: the
   * error of a product is at most about 2^-10 of the sum of the absolute values of its terms.
   */
  DEFAULT,
  /**
   * Operands may be split in a TensorFloat-32 value and the TensorFloat-32 rest, and the product of
   * the two rests left out ("3xTF32"): an error of about 2^-20 of the same sum, close to that of
   * float32. The rest of an infinite operand is NaN, and so then may be the sum.
   */
  HIGH,
  /** Float32 throughout. */
  HIGHEST;

  private static final ScopedValue<Precision> SCOPED = ScopedValue.newInstance();
  private static final List<Precision> ALL = List.of(values());

  // Read on every call of a compiled function.
  private final String text = name().toLowerCase(Locale.ROOT);

  /**
   * {@return the precision of products for which none is given: that of the innermost {@link
   * #with}, else of {@link Settings#PRECISION}}
   *
   * @throws TapedeckException if the setting names none
   */
  public static Precision current() {
    if (SCOPED.isBound()) {
      return SCOPED.get();
    }
    String name = Settings.PRECISION.get();
    for (Precision p : ALL) {
      if (p.text.equalsIgnoreCase(name)) {
        return p;
      }
    }
    throw new TapedeckException(
        "[settings] "
            + Settings.PRECISION.key()
            + " must be bfloat16, default, high or highest, not '"
            + name
            + "'");
  }

  /**
   * Runs {@code body} with another precision for the calling thread's products that are recorded or
   * evaluated meanwhile and for which none is given.
   *
   * @param <T> result of the body
   * @param precision what {@link #current} is meanwhile
   * @param body called once
   * @return what the body returns
   */
  public static <T> T with(Precision precision, Supplier<T> body) {
    return ScopedValue.where(SCOPED, precision).call(body::get);
  }

  /** {@return the name as {@link Settings#PRECISION} takes it} */
  @Override
  public String toString() {
    return text;
  }
}
