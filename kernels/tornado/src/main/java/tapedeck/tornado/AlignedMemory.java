package tapedeck.tornado;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import tapedeck.ad.type.DeviceException;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.memory.XPUBuffer;

/**
 * Device memory whose elements begin at multiples of 64 bytes. TornadoVM's arrays have a header of
 * 16 bytes, behind which every vector of the device would lie across two lines of the cache, and
 * OpenCL has no way to begin a buffer 16 bytes before such a multiple. PoCL, whose devices are the
 * host's processors, takes memory of the host's as it is.
 */
final class AlignedMemory {
  private static final long LINE = 64;
  private static final String PACKAGE = "uk.ac.manchester.tornado.drivers.opencl.";

  // CL_MEM_READ_WRITE and CL_MEM_USE_HOST_PTR.
  private static final long FLAGS = 1 | 1 << 3;

  private static final MethodHandle MALLOC =
      link("malloc", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle FREE =
      link("free", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

  private final Object context;
  private final Object deviceContext;
  private final MethodHandle create;
  private final MethodHandle buffer;
  private final MethodHandle status;
  private final MethodHandle release;
  private final MethodHandle wrap;

  /** What {@code free} takes for each buffer that is in use. */
  private final Map<XPUBuffer, Long> blocks = new IdentityHashMap<>();

  private AlignedMemory(Object deviceContext) throws ReflectiveOperationException {
    this.deviceContext = deviceContext;
    this.context = Internals.call(deviceContext, "getPlatformContext");
    MethodHandles.Lookup in =
        MethodHandles.privateLookupIn(deviceContext.getClass(), MethodHandles.lookup());
    Class<?> owner = in.findClass(PACKAGE + "OCLContext");
    Class<?> result = in.findClass(PACKAGE + "OCLContext$OCLBufferResult");
    Class<?> wrapper = in.findClass(PACKAGE + "mm.OCLMemorySegmentWrapper");
    this.create =
        MethodHandles.privateLookupIn(owner, MethodHandles.lookup())
            .findVirtual(
                owner,
                "createBuffer",
                MethodType.methodType(result, long.class, long.class, long.class));
    this.buffer = in.findVirtual(result, "getBuffer", MethodType.methodType(long.class));
    this.status = in.findVirtual(result, "getResult", MethodType.methodType(int.class));
    this.release =
        in.findVirtual(owner, "releaseBuffer", MethodType.methodType(void.class, long.class));
    this.wrap =
        in.findConstructor(
            wrapper,
            MethodType.methodType(
                void.class,
                long.class,
                deviceContext.getClass(),
                long.class,
                Access.class,
                int.class));
  }

  private static MethodHandle link(String name, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
  }

  /** Whether anything is to be aligned, by the setting. */
  static boolean wanted() {
    return !System.getProperty("tapedeck.tornado.aligned", "").equals("off");
  }

  /** Such memory of a device, where that is possible and not switched off. */
  static Optional<AlignedMemory> of(TornadoDevice device) {
    Object context = device.getDeviceContext();
    if (!wanted()
        || Memory.HEADER % LINE == 0
        || device.getDeviceType() != TornadoDeviceType.CPU
        || !Description.isPocl(device)
        || !context.getClass().getName().equals(PACKAGE + "OCLDeviceContext")) {
      return Optional.empty();
    }
    try {
      return Optional.of(new AlignedMemory(context));
    } catch (ReflectiveOperationException e) {
      // Without the launcher's flag the packages are closed: memory is as TornadoVM allocates it.
      return Optional.empty();
    }
  }

  /**
   * New memory, or nothing if there is no room.
   *
   * @param bytes size with the header
   */
  synchronized Optional<XPUBuffer> allocate(long bytes) {
    long block = 0;
    try {
      block = (long) MALLOC.invokeExact(bytes + 2 * LINE);
      if (block == 0) {
        return Optional.empty();
      }
      long elements = (block + Memory.HEADER + LINE - 1) & -LINE;
      Object made = create.invoke(context, FLAGS, bytes, elements - Memory.HEADER);
      if (made == null || (int) status.invoke(made) != 0) {
        free(block);
        return Optional.empty();
      }
      XPUBuffer out =
          (XPUBuffer) wrap.invoke(bytes, deviceContext, 0L, Access.READ_WRITE, Byte.BYTES);
      out.setBuffer(new XPUBuffer.XPUBufferWrapper((long) buffer.invoke(made), 0));
      blocks.put(out, block);
      return Optional.of(out);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new DeviceException("[tornado] memory of the host", e);
    }
  }

  /** Frees memory that the device does not use any more. */
  synchronized void release(XPUBuffer memory) {
    long block = blocks.remove(memory);
    try {
      release.invoke(context, memory.toBuffer());
      free(block);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new DeviceException("[tornado] memory of the host", e);
    }
  }

  private static void free(long block) throws Throwable {
    FREE.invokeExact(block);
  }
}
