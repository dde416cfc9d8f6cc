/**
 * Search for parameters of the OpenCL backend's kernel templates. Input: a device; output: an entry
 * of its tuning database. {@link tapedeck.bench.tune.Works} lists what is computed, {@link
 * tapedeck.bench.tune.Rig} runs it on the device, {@link tapedeck.bench.tune.Search} chooses what
 * is tried, {@link tapedeck.bench.tune.Tuner} puts them together.
 */
package tapedeck.bench.tune;
