package tapedeck.ad;

/**
 * A function of two pytrees.
 *
 * @param <A> first argument: a tensor or a pytree of tensors
 * @param <B> second argument: a tensor or a pytree of tensors
 * @param <R> result: a tensor or a pytree of tensors
 */
@FunctionalInterface
public interface Fn2<A, B, R> {
  /**
   * Applies the function.
   *
   * @param a first argument, with traced tensors inside a transform
   * @param b second argument, likewise
   * @return its result; what is no tensor in it is a static value
   */
  R apply(A a, B b);
}
