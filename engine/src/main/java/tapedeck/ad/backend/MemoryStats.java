package tapedeck.ad.backend;

/**
 * Device memory in use.
 *
 * @param liveBytes bytes of buffers and arenas that are allocated now
 * @param peakBytes largest value of liveBytes so far
 * @param liveBuffers number of allocated buffers and arenas
 * @param allocations number of allocations so far
 */
public record MemoryStats(long liveBytes, long peakBytes, long liveBuffers, long allocations) {}
