/**
 * Other libraries to measure beside. Input: the name of a function and a file with its data;
 * output: times and results from a process per library. Only the line protocol is known here, so
 * the program runs without any of them.
 */
package tapedeck.bench.peers;
