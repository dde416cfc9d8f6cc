package tapedeck.ad;

import tapedeck.ad.tensor.Tensor;

/**
 * A scalar and its gradient.
 *
 * @param <A> first argument: a tensor or a pytree of tensors
 * @param value the function's result, a scalar
 * @param grad gradient with respect to the first argument, in its structure
 */
public record ValueAndGrad<A>(Tensor value, A grad) {}
