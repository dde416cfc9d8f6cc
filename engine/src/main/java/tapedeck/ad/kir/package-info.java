/**
 * Kernel IR: what one kernel computes, as typed loops over scalar expressions. Input: element
 * types; output: the {@link tapedeck.ad.kir.Kernel} records that the scheduler builds and every
 * backend renders. Its meaning is fixed by the interpreter of the CPU module.
 */
@NullMarked
package tapedeck.ad.kir;

import org.jspecify.annotations.NullMarked;
