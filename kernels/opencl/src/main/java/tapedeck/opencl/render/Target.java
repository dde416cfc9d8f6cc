package tapedeck.opencl.render;

import tapedeck.opencl.tuning.Profile;

/**
 * What the renderer needs to know of a device.
 *
 * @param profile how work is spread over work-items
 * @param computeUnits cores or multiprocessors
 * @param maxGroup largest work-group
 * @param localBytes local memory of one work-group
 * @param vectorBytes width of a vector register on CPU devices, or of one memory access on GPUs
 * @param fma32 whether float32 {@code fma} is done in hardware
 * @param tensorCores how its matrix units are used
 */
public record Target(
    Profile profile,
    int computeUnits,
    int maxGroup,
    long localBytes,
    int vectorBytes,
    boolean fma32,
    TensorCores tensorCores) {}
