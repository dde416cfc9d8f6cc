/**
 * What a run leaves behind. Input: measured samples; output: tables on the terminal, JSON files
 * with machine and version data, and files that are either complete or not there at all.
 */
package tapedeck.bench.report;
