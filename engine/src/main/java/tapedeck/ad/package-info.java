/**
 * The public face: transforms of Java functions over {@link tapedeck.ad.tensor.Tensor}s. Input:
 * functions whose arguments and results are pytrees (tensors, and records, lists, maps and arrays
 * of them); output: functions of the same kind. {@link tapedeck.ad.Ad} is the place to start.
 */
@NullMarked
package tapedeck.ad;

import org.jspecify.annotations.NullMarked;
