package tapedeck.ad;

/**
 * What the forward part of a custom reverse rule returns.
 *
 * @param value the function's result
 * @param residuals a pytree of whatever the backward part needs
 */
public record Forward<R, S>(R value, S residuals) {}
