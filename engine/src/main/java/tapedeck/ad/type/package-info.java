/**
 * Element types, shapes, abstract values, settings and the exceptions that the engine throws.
 * Input: nothing; output: the vocabulary that every later package shares.
 */
@NullMarked
package tapedeck.ad.type;

import org.jspecify.annotations.NullMarked;
