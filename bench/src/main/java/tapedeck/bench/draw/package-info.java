/**
 * Drawing of computational graphs. Input: a {@link tapedeck.bench.draw.Graph} of nodes with a value
 * and a gradient each; output: SVG and text from one layout on a character grid.
 */
package tapedeck.bench.draw;
