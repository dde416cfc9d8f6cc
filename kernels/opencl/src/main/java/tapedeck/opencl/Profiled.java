package tapedeck.opencl;

import java.util.List;

/**
 * An executable whose device times can be read. Implemented by every executable of this backend;
 * times are recorded only on devices opened with {@code -Dtapedeck.opencl.profiling=on}.
 */
public interface Profiled {

  /**
   * Device time of one launch.
   *
   * @param label fused operations of the launch
   * @param kernel entry point
   * @param strategy form of the kernel that the renderer chose
   * @param startNanos device clock at its start
   * @param endNanos device clock at its end
   */
  record KernelTime(String label, String kernel, String strategy, long startNanos, long endNanos) {}

  /**
   * {@return the times of the last run's launches in order, after waiting for them; empty without
   * profiling}
   */
  List<KernelTime> kernelTimes();
}
