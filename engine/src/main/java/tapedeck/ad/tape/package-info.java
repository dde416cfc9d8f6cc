/**
 * The tape: what a traced function computes, as a list of typed equations in single assignment.
 * Input: a Java function over tensors; output: an immutable {@link tapedeck.ad.tape.Tape}, its
 * printers and its checker.
 */
package tapedeck.ad.tape;
