package tapedeck.tornado.render;

import tapedeck.ad.type.DeviceException;
import uk.ac.manchester.tornado.api.common.TaskPackage;

/** What generated classes extend: the class itself is the task's code. */
public abstract class KernelTask {
  /** Always true: what runs the task's code in Java gets {@link #fallBack}. */
  protected final boolean onDevice = true;

  /** Made here, because generated code that calls a constructor would mislead TornadoVM. */
  protected final DeviceException fallBack =
      new DeviceException("[tornado] TornadoVM fell back to sequential Java");

  /** For generated subclasses. */
  protected KernelTask() {}

  /**
   * The kernel as a task.
   *
   * @param id the task's name in its graph
   * @param args kernel context and arrays
   */
  public abstract TaskPackage pack(String id, Object[] args);
}
