/**
 * Real data and parameter files. Input: digits as CSV, images in IDX form, parameters in
 * safetensors form; output: {@link tapedeck.bench.data.ImageData} and named tensors. Every reader
 * checks all that a file claims and reports the file and the place.
 */
package tapedeck.bench.data;
