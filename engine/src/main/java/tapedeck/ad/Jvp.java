package tapedeck.ad;

/**
 * Result of forward mode.
 *
 * @param <R> a tensor or a pytree of tensors
 * @param value the function's result
 * @param tangent its directional derivative, in the same structure; zeros where the result is not
 *     of a float type
 */
public record Jvp<R>(R value, R tangent) {}
