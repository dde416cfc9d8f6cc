/**
 * What a backend provides: devices that hold buffers and run schedules. Input: a {@link
 * tapedeck.ad.schedule.Schedule}; output: filled buffers. Backends are found with {@link
 * java.util.ServiceLoader}; the engine names none.
 */
@NullMarked
package tapedeck.ad.backend;

import org.jspecify.annotations.NullMarked;
