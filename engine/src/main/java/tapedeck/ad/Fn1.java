package tapedeck.ad;

/**
 * A function of one pytree.
 *
 * @param <A> argument: a tensor or a pytree of tensors
 * @param <R> result: a tensor or a pytree of tensors
 */
@FunctionalInterface
public interface Fn1<A, R> {
  /**
   * Applies the function.
   *
   * @param a its argument, with traced tensors inside a transform
   * @return its result; what is no tensor in it is a static value
   */
  R apply(A a);
}
