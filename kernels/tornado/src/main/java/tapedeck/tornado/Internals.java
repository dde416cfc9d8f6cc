package tapedeck.tornado;

import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import tapedeck.ad.type.DeviceException;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoTaskGraphInterface;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.memory.DeviceBufferState;
import uk.ac.manchester.tornado.api.memory.ObjectState;

/**
 * The way around TornadoVM's public interface, which {@link Frames} uses too. A task graph is tied
 * to the arrays that it was built with, and only its own record of an array's device memory lets
 * another buffer take that place, without a copy through the host. The record's type is public; the
 * way to it is not.
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
      Object context = context(graph);
      Object local =
          context
              .getClass()
              .getMethod("getLocalStateObject", Object.class, Access.class)
              .invoke(context, array, Access.READ_WRITE);
      ObjectState states = (ObjectState) call(local, "getDataObjectState");
      return states.getDeviceBufferState(device);
    } catch (ReflectiveOperationException e) {
      throw other("buffers", e);
    }
  }

  /** The graph's launch frames, by device; null where it has no task. */
  static Object[] frames(ImmutableTaskGraph graph) throws ReflectiveOperationException {
    return (Object[]) call(context(graph), "getKernelStackFrame");
  }

  private static Object context(ImmutableTaskGraph graph) throws ReflectiveOperationException {
    Object inner = runner(graph);
    Field field = inner.getClass().getDeclaredField("executionContext");
    field.setAccessible(true);
    return field.get(inner);
  }

  /**
   * What runs a graph without waiting for it. A plan waits at the end of each graph, and keeps a
   * result of each run for its user, of whom there is none here.
   *
   * @throws DeviceException if this is a version of TornadoVM with other internals
   */
  static TornadoTaskGraphInterface runner(ImmutableTaskGraph graph) {
    try {
      Object outer = call(ImmutableTaskGraph.class, "getTaskGraph", graph);
      return (TornadoTaskGraphInterface) call(TaskGraph.class, "getTaskGraphImpl", outer);
    } catch (ReflectiveOperationException e) {
      throw other("graphs", e);
    }
  }

  /**
   * A number that OpenCL tells of a device, or another one where the driver is not TornadoVM's for
   * OpenCL or its package is closed.
   *
   * @param name OpenCL's number of the property
   */
  static long property(Object device, int name, long otherwise) {
    byte[] bytes = new byte[Long.BYTES];
    try {
      Method m =
          device
              .getClass()
              .getDeclaredMethod("clGetDeviceInfo", long.class, int.class, byte[].class);
      m.setAccessible(true);
      m.invoke(null, call(device, "getDevicePointer"), name, bytes);
    } catch (ReflectiveOperationException | InaccessibleObjectException e) {
      return otherwise;
    }
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong();
  }

  private static DeviceException other(String what, ReflectiveOperationException e) {
    return new DeviceException(
        "[tornado] this version of TornadoVM keeps its " + what + " elsewhere; 5.2.0 is needed", e);
  }

  /** Calls a public method without arguments. */
  static Object call(Object on, String method) throws ReflectiveOperationException {
    return on.getClass().getMethod(method).invoke(on);
  }

  private static Object call(Class<?> type, String method, Object on)
      throws ReflectiveOperationException {
    Method m = type.getDeclaredMethod(method);
    m.setAccessible(true);
    return m.invoke(on);
  }
}
