package tapedeck.ad.kir;

/**
 * One loop variable, counting 0 to extent-1. Its id is unique within a kernel; extents are at least
 * 1.
 */
public record Loop(int id, long extent) {}
