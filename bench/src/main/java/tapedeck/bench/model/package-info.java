/**
 * The multilayer perceptron of the main job with its optimisers. Input: batches of images; output:
 * gradients and updated parameters.
 */
package tapedeck.bench.model;
