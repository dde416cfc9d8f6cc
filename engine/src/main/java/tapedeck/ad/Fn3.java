package tapedeck.ad;

/**
 * A function of three pytrees.
 *
 * @param <A> first argument: a tensor or a pytree of tensors
 * @param <B> second argument: a tensor or a pytree of tensors
 * @param <C> third argument: a tensor or a pytree of tensors
 * @param <R> result: a tensor or a pytree of tensors
 */
@FunctionalInterface
public interface Fn3<A, B, C, R> {
  /**
   * Applies the function.
   *
   * @param a first argument, with traced tensors inside a transform
   * @param b second argument, likewise
   * @param c third argument, likewise
   * @return its result; what is no tensor in it is a static value
   */
  R apply(A a, B b, C c);
}
