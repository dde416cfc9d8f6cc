/**
 * The scheduler. Input: a tape; output: a {@link tapedeck.ad.schedule.Schedule}, after
 * simplification, ordering, fusion, joining and memory planning.
 */
package tapedeck.ad.schedule;
