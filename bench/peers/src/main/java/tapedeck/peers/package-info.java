/**
 * The benchmarks' functions in other libraries. Input: the name of a function and a file with its
 * data; output: times and results, over a line protocol. Nothing here knows Tapedeck: each peer is
 * a process of its own, so that neither class paths nor thread pools nor crashes meet.
 */
@NullMarked
package tapedeck.peers;

import org.jspecify.annotations.NullMarked;
