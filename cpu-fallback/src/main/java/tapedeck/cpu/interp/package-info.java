/**
 * Kernel-IR interpreter: the executable specification of {@link tapedeck.ad.kir}. Input: a {@link
 * tapedeck.ad.schedule.Schedule}; output: filled buffers of the device {@code interp}. It checks
 * what other backends may assume: types, scopes and ranges of every access, and that no grid point
 * touches what another writes. The system property {@code tapedeck.interp.memory} limits the
 * device's memory to a number of bytes; {@code tapedeck.interp.checks=off} leaves the checks
 * between grid points out.
 */
package tapedeck.cpu.interp;
