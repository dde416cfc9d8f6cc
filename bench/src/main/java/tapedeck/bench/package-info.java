/**
 * The command-line program. Input: arguments; output: tables on standard output, one message on
 * standard error and an exit code. {@link tapedeck.bench.Main} is the entry; each command is one
 * class of this package.
 */
package tapedeck.bench;
