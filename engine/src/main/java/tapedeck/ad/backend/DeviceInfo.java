package tapedeck.ad.backend;

import java.util.Map;

/**
 * What a device is.
 *
 * @param kind {@code cpu}, {@code gpu}, {@code accelerator} or {@code interpreter}
 * @param description product name
 * @param computeUnits threads or multiprocessors
 * @param memoryBytes memory it can address, or 0 if unknown
 * @param priority the usable device with the highest one is the default
 * @param details driver, version, extensions and the like, for people
 */
public record DeviceInfo(
    String kind,
    String description,
    int computeUnits,
    long memoryBytes,
    int priority,
    Map<String, String> details) {}
