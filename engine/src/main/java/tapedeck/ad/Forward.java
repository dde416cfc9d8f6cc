package tapedeck.ad;

/**
 * What the forward part of a custom reverse rule returns.
 *
 * @param <R> result of the function: a tensor or a pytree of tensors
 * @param <S> residuals: a tensor or a pytree of tensors and static values
 * @param value the function's result
 * @param residuals a pytree of whatever the backward part needs
 */
public record Forward<R, S>(R value, S residuals) {}
