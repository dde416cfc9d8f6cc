/**
 * Elementary functions on blocks of native memory, with vectors and one by one, and access to
 * native memory by address.
 */
package tapedeck.cpu.math;
