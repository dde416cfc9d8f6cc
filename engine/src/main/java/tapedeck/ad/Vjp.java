package tapedeck.ad;

/**
 * Result of reverse mode.
 *
 * @param <A> argument: a tensor or a pytree of tensors
 * @param <R> result: a tensor or a pytree of tensors
 * @param value the function's result
 * @param pullback from a cotangent of the result to the cotangent of the argument; may be called
 *     any number of times. Where an argument's leaf is not of a float type its cotangent is zero.
 */
public record Vjp<A, R>(R value, Fn1<R, A> pullback) {}
