package tapedeck.ad.kir;

/**
 * One loop variable, counting 0 to extent-1.
 *
 * @param id unique within a kernel
 * @param extent number of rounds, at least 1
 */
public record Loop(int id, long extent) {}
