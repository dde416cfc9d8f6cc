package tapedeck.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;
import org.jocl.CL;
import org.jocl.cl_command_queue;
import org.jocl.cl_kernel;
import tapedeck.opencl.render.Rendered;

/**
 * The extension {@code cl_khr_command_buffer}, whose functions JOCL lacks: kernels with their
 * arguments are recorded once, and one call enqueues all of them. Used where {@code
 * -Dtapedeck.opencl.command-buffer=on} and a recording may be enqueued again while it runs.
 */
final class CommandBuffers {
  private static final String EXTENSION = "cl_khr_command_buffer";
  private static final int CAPABILITIES = 0x12A9;
  private static final long CAN_OVERLAP = 1 << 2;
  private static final long FLAGS = 0x1293;
  private static final long SIMULTANEOUS_USE = 1;
  private static final long NULL = 0;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout ADDRESS = ValueLayout.ADDRESS;

  // JOCL gives native pointers as numbers, so that is how these functions take and return them.
  private static final MethodHandle FIND = handle(LONG, LONG, ADDRESS);
  private static final MethodHandle CREATE = handle(LONG, INT, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle RECORD =
      handle(INT, LONG, LONG, LONG, LONG, INT, LONG, ADDRESS, ADDRESS, INT, LONG, LONG, LONG);
  private static final MethodHandle ENQUEUE = handle(INT, INT, LONG, LONG, INT, LONG, ADDRESS);
  private static final MethodHandle ON_OBJECT = handle(INT, LONG);

  private final MemorySegment create;
  private final MemorySegment record;
  private final MemorySegment finish;
  private final MemorySegment enqueue;
  private final MemorySegment release;
  private final MemorySegment releaseEvent;

  private CommandBuffers(SymbolLookup library, Description d) {
    MemorySegment find = library.findOrThrow("clGetExtensionFunctionAddressForPlatform");
    long platform = d.platform().getNativePointer();
    this.create = function(find, platform, "clCreateCommandBufferKHR");
    this.record = function(find, platform, "clCommandNDRangeKernelKHR");
    this.finish = function(find, platform, "clFinalizeCommandBufferKHR");
    this.enqueue = function(find, platform, "clEnqueueCommandBufferKHR");
    this.release = function(find, platform, "clReleaseCommandBufferKHR");
    this.releaseEvent = library.findOrThrow("clReleaseEvent");
  }

  /** The extension where it is wanted and the device has it. */
  static Optional<CommandBuffers> of(Description d) {
    boolean wanted = "on".equals(System.getProperty("tapedeck.opencl.command-buffer"));
    if (!wanted
        || !List.of(Cl.text(d.id(), CL.CL_DEVICE_EXTENSIONS).split(" ")).contains(EXTENSION)
        || (Cl.numberOr(d.id(), CAPABILITIES, 0) & CAN_OVERLAP) == 0) {
      return Optional.empty();
    }
    SymbolLookup library = SymbolLookup.libraryLookup("libOpenCL.so.1", Arena.global());
    return Optional.of(new CommandBuffers(library, d));
  }

  private static MethodHandle handle(ValueLayout result, ValueLayout... arguments) {
    return Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(result, arguments));
  }

  private static MemorySegment function(MemorySegment find, long platform, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name);
      return MemorySegment.ofAddress(call(() -> (long) FIND.invokeExact(find, platform, text)));
    }
  }

  /** A native call, which itself throws nothing. */
  private interface Call {
    long run() throws Throwable;
  }

  private static long call(Call c) {
    try {
      return c.run();
    } catch (Throwable t) {
      throw new AssertionError("a native call failed", t);
    }
  }

  /** Kernels that one call enqueues. */
  final class Recording implements AutoCloseable {
    private final long commands;
    private final MemorySegment event = Arena.ofAuto().allocate(LONG);

    private Recording(long commands) {
      this.commands = commands;
    }

    /** Enqueues the kernels on the queue for which they were recorded. */
    void enqueue() {
      // NB: PoCL 3.1 writes through the event's pointer without asking whether there is one.
      int status =
          (int) call(() -> (int) ENQUEUE.invokeExact(enqueue, 0, NULL, commands, 0, NULL, event));
      Cl.check(status, "clEnqueueCommandBufferKHR");
      long done = event.get(LONG, 0);
      Cl.released((int) call(() -> (int) ON_OBJECT.invokeExact(releaseEvent, done)));
    }

    @Override
    public void close() {
      Cl.released((int) call(() -> (int) ON_OBJECT.invokeExact(release, commands)));
    }
  }

  /** Records kernels with the arguments that they have now. */
  Recording record(cl_command_queue queue, cl_kernel[] kernels, List<Rendered> texts) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment queues = arena.allocateFrom(LONG, queue.getNativePointer());
      MemorySegment properties = arena.allocateFrom(LONG, FLAGS, SIMULTANEOUS_USE, 0);
      MemorySegment status = arena.allocate(INT);
      long commands = call(() -> (long) CREATE.invokeExact(create, 1, queues, properties, status));
      Cl.check(status.get(INT, 0), "clCreateCommandBufferKHR");
      Recording r = new Recording(commands);
      try {
        for (int k = 0; k < kernels.length; k++) {
          long kernel = kernels[k].getNativePointer();
          int dims = texts.get(k).global().length;
          MemorySegment global = arena.allocateFrom(LONG, texts.get(k).global());
          MemorySegment local = arena.allocateFrom(LONG, texts.get(k).local());
          long added =
              call(
                  () ->
                      (int)
                          RECORD.invokeExact(
                              record, commands, NULL, NULL, kernel, dims, NULL, global, local, 0,
                              NULL, NULL, NULL));
          Cl.check((int) added, "clCommandNDRangeKernelKHR of " + texts.get(k).entry());
        }
        long ready = call(() -> (int) ON_OBJECT.invokeExact(finish, commands));
        Cl.check((int) ready, "clFinalizeCommandBufferKHR");
        return r;
      } catch (RuntimeException e) {
        r.close();
        throw e;
      }
    }
  }
}
