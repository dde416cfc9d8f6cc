/**
 * Tensors and primitives. A {@link tapedeck.ad.tensor.Tensor} is either concrete (it has storage on
 * a device) or traced (it stands for a variable of a tape under construction). Every {@link
 * tapedeck.ad.tensor.Primitive} owns its shape rule, its derivatives, its batching rule and its
 * lowering. Input: user calls; output: primitives bound to a tracer or evaluated at once.
 */
package tapedeck.ad.tensor;
