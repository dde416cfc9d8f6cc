/**
 * The scheduler. Input: a tape; output: a {@link tapedeck.ad.schedule.Schedule}, after
 * simplification, fusion and memory planning.
 */
package tapedeck.ad.schedule;
