package tapedeck.tornado;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import tapedeck.ad.type.DeviceException;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/**
 * The calls of TornadoVM's OpenCL driver that put compiled kernels into a queue, without what it
 * does before each of them.
 */
final class Queue {
  private static final String PACKAGE = "uk.ac.manchester.tornado.drivers.opencl.";

  /** CL_KERNEL_NUM_ARGS. */
  private static final int ARGUMENTS = 0x1191;

  /** The driver's methods; empty where it is another one or its packages are closed. */
  private static Optional<Driver> driver;

  private record Driver(
      Class<?> context,
      MethodHandle code,
      MethodHandle kernel,
      MethodHandle queue,
      MethodHandle enqueue,
      MethodHandle flush,
      MethodHandle argument,
      MethodHandle info,
      MethodHandle release) {}

  private final Driver calls;
  private final Object context;
  private final long id;
  private final ByteBuffer value = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
  private final byte[] bytes = value.array();

  private Queue(Driver calls, Object context, long id) {
    this.calls = calls;
    this.context = context;
    this.id = id;
  }

  /**
   * A queue of a device, or nothing where TornadoVM's driver does not let it be used.
   *
   * @param id TornadoVM's number of it
   */
  static Optional<Queue> of(TornadoDevice device, long id) {
    Object context = device.getDeviceContext();
    return driver(context.getClass())
        .filter(d -> d.context == context.getClass())
        .map(d -> new Queue(d, context, id));
  }

  private static synchronized Optional<Driver> driver(Class<?> context) {
    if (driver == null) {
      driver = Optional.empty();
      if (context.getName().equals(PACKAGE + "OCLDeviceContext")) {
        try {
          driver = Optional.of(find(context));
        } catch (ReflectiveOperationException e) {
          // Without the launcher's flag the package is closed: TornadoVM launches the kernels.
          driver = Optional.empty();
        }
      }
    }
    return driver;
  }

  private static Driver find(Class<?> context) throws ReflectiveOperationException {
    MethodHandles.Lookup in = MethodHandles.privateLookupIn(context, MethodHandles.lookup());
    Class<?> queue = in.findClass(PACKAGE + "OCLCommandQueue");
    Class<?> kernel = in.findClass(PACKAGE + "OCLKernel");
    Class<?> event = in.findClass(PACKAGE + "OCLEvent");
    Class<?> code = in.findClass(PACKAGE + "graal.OCLInstalledCode");
    Class<?> sizes = long[].class;
    MethodHandle installed =
        in.findVirtual(
            context,
            "getInstalledCode",
            MethodType.methodType(code, long.class, String.class, String.class));
    MethodHandle ofCode = in.findVirtual(code, "getKernel", MethodType.methodType(kernel));
    MethodHandle ofKernel =
        in.findVirtual(kernel, "getOclKernelID", MethodType.methodType(long.class));
    MethodHandle ofPlan =
        in.findVirtual(context, "getCommandQueue", MethodType.methodType(queue, long.class));
    MethodHandle ofQueue =
        in.findVirtual(queue, "getCommandQueuePtr", MethodType.methodType(long.class));
    return new Driver(
        context,
        installed.asType(
            MethodType.methodType(
                Object.class, Object.class, long.class, String.class, String.class)),
        MethodHandles.filterReturnValue(ofCode, ofKernel)
            .asType(MethodType.methodType(long.class, Object.class)),
        MethodHandles.filterReturnValue(ofPlan, ofQueue)
            .asType(MethodType.methodType(long.class, Object.class, long.class)),
        in.findStatic(
            queue,
            "clEnqueueNDRangeKernel",
            MethodType.methodType(
                long.class, long.class, long.class, int.class, sizes, sizes, sizes, sizes)),
        in.findStatic(queue, "clFlush", MethodType.methodType(void.class, long.class)),
        in.findStatic(
            kernel,
            "clSetKernelArg",
            MethodType.methodType(void.class, long.class, int.class, long.class, byte[].class)),
        in.findStatic(
            kernel,
            "clGetKernelInfo",
            MethodType.methodType(void.class, long.class, int.class, byte[].class)),
        in.findStatic(event, "clReleaseEvent", MethodType.methodType(void.class, long.class)));
  }

  /**
   * OpenCL's kernel of a compiled task, 0 where TornadoVM knows of none.
   *
   * @param plan number of the execution plan
   * @param task name of the task
   * @param entry name of the kernel
   */
  long kernel(long plan, String task, String entry) {
    try {
      Object code = (Object) calls.code.invokeExact(context, plan, task, entry);
      return code == null ? 0 : (long) calls.kernel.invokeExact(code);
    } catch (Throwable e) {
      throw failure("kernel of " + task, e);
    }
  }

  /** Number of a kernel's arguments. */
  int arguments(long kernel) {
    try {
      value.putLong(0, 0);
      calls.info.invokeExact(kernel, ARGUMENTS, bytes);
      return value.getInt(0);
    } catch (Throwable e) {
      throw failure("clGetKernelInfo", e);
    }
  }

  /** Makes device memory an argument of a kernel. */
  void set(long kernel, int index, long memory) {
    try {
      value.putLong(0, memory);
      calls.argument.invokeExact(kernel, index, (long) Long.BYTES, bytes);
    } catch (Throwable e) {
      throw failure("clSetKernelArg", e);
    }
  }

  /** OpenCL's handle of the queue, the same for all calls of a thread. */
  long handle() {
    try {
      return (long) calls.queue.invokeExact(context, id);
    } catch (Throwable e) {
      throw failure("queue", e);
    }
  }

  /**
   * Puts a kernel into a queue.
   *
   * @throws DeviceException if OpenCL refuses it
   */
  void enqueue(long handle, long kernel, int dimensions, long[] global, long[] local) {
    try {
      long event =
          (long)
              calls.enqueue.invokeExact(
                  handle, kernel, dimensions, (long[]) null, global, local, (long[]) null);
      if (event == 0) {
        throw new DeviceException("[tornado] clEnqueueNDRangeKernel failed");
      }
      calls.release.invokeExact(event);
    } catch (Throwable e) {
      throw failure("clEnqueueNDRangeKernel", e);
    }
  }

  void flush(long handle) {
    try {
      calls.flush.invokeExact(handle);
    } catch (Throwable e) {
      throw failure("clFlush", e);
    }
  }

  private static RuntimeException failure(String what, Throwable e) {
    return switch (e) {
      case RuntimeException r -> r;
      case Error r -> throw r;
      default -> new DeviceException("[tornado] " + what, e);
    };
  }
}
