/**
 * Comparisons. Input: workloads, devices, peers; output: interleaved samples, checked results, and
 * tables and JSON reports of them, which can be merged and followed over commits.
 */
package tapedeck.bench.compare;
