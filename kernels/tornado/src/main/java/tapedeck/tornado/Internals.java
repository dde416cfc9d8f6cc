package tapedeck.tornado;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import tapedeck.ad.type.DeviceException;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.memory.DeviceBufferState;
import uk.ac.manchester.tornado.api.memory.ObjectState;

/**
 * The one place that goes around TornadoVM's public interface: a task graph is tied to the arrays
 * that it was built with, and only its own record of an array's device memory lets another buffer
 * take that place, without a copy through the host. The record's type is public; the way to it is
 * not.
 */
final class Internals {
  private Internals() {}

  /**
   * The graph's record of an array's memory on a device.
   *
   * @throws DeviceException if this is a version of TornadoVM with other internals
   */
  static DeviceBufferState state(ImmutableTaskGraph graph, Object array, TornadoDevice device) {
    try {
      Object outer = call(ImmutableTaskGraph.class, "getTaskGraph", graph);
      Object inner = call(TaskGraph.class, "getTaskGraphImpl", outer);
      Field field = inner.getClass().getDeclaredField("executionContext");
      field.setAccessible(true);
      Object context = field.get(inner);
      Object local =
          context
              .getClass()
              .getMethod("getLocalStateObject", Object.class, Access.class)
              .invoke(context, array, Access.READ_WRITE);
      ObjectState states =
          (ObjectState) local.getClass().getMethod("getDataObjectState").invoke(local);
      return states.getDeviceBufferState(device);
    } catch (ReflectiveOperationException e) {
      throw new DeviceException(
          "[tornado] this version of TornadoVM keeps its buffers elsewhere; 5.2.0 is needed", e);
    }
  }

  private static Object call(Class<?> type, String method, Object on)
      throws ReflectiveOperationException {
    Method m = type.getDeclaredMethod(method);
    m.setAccessible(true);
    return m.invoke(on);
  }
}
