package tapedeck.tornado;

import java.lang.classfile.ClassFile;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tapedeck.ad.type.DeviceException;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/**
 * Launch frames that are written to the device once. A frame is what TornadoVM's OpenCL driver
 * passes to kernels of {@code @Parallel} loops: the sizes of the grid, which kernels here have as
 * constants. It is written before every launch all the same, by a call that waits for the write and
 * so for all kernels before it.
 */
final class Frames implements AutoCloseable {
  private static final String PACKAGE = "uk.ac.manchester.tornado.drivers.opencl.";
  private static final String SUPER = PACKAGE + "mm.OCLKernelStackFrame";
  private static final String NAME = PACKAGE + "mm.TapedeckFrame";

  /** Bytes of a frame: sizes in three dimensions. */
  private static final long BYTES = 24;

  private static final long READ_ONLY = 1 << 2;

  /** The class of frames, empty where the driver is another one or does not let it in. */
  private static Optional<Constructor<?>> constructor;

  private final List<Frame> frames = new ArrayList<>();

  /** A frame, and where its graph looks for it. */
  private record Frame(Object frame, Object[] home, int index) {}

  /** Gives compiled graphs such frames, where that is possible. */
  static Frames replace(ImmutableTaskGraph[] graphs, TornadoDevice device) {
    Frames out = new Frames();
    if (System.getProperty("tapedeck.tornado.frames", "").equals("rewritten")
        // It asks for the event of each write.
        || Boolean.parseBoolean(System.getProperty("tornado.profiler"))) {
      return out;
    }
    Object context = device.getDeviceContext();
    Optional<Constructor<?>> type = type(context.getClass());
    try {
      if (type.isPresent()) {
        for (ImmutableTaskGraph g : graphs) {
          out.replace(Internals.frames(g), type.get(), context);
        }
      }
    } catch (ReflectiveOperationException e) {
      out.close();
      throw new DeviceException("[tornado] a launch frame", e);
    }
    return out;
  }

  private void replace(Object[] home, Constructor<?> type, Object context)
      throws ReflectiveOperationException {
    Object memory = Internals.call(context, "getMemoryManager");
    for (int i = 0; i < home.length; i++) {
      if (home[i] != null) {
        Object buffer =
            memory
                .getClass()
                .getMethod("createBuffer", long.class, long.class)
                .invoke(memory, BYTES, READ_ONLY);
        long id = (long) Internals.call(buffer, "getBuffer");
        Object own = type.newInstance(id, 0, context);
        frames.add(new Frame(own, home, i));
        home[i] = own;
      }
    }
  }

  private static synchronized Optional<Constructor<?>> type(Class<?> context) {
    if (constructor == null) {
      constructor = Optional.empty();
      if (context.getName().equals(PACKAGE + "OCLDeviceContext")) {
        try {
          Class<?> parent = Class.forName(SUPER, false, context.getClassLoader());
          Class<?> own =
              MethodHandles.privateLookupIn(parent, MethodHandles.lookup())
                  .defineClass(classFile(ClassDesc.of(context.getName())));
          constructor = Optional.of(own.getConstructor(long.class, int.class, context));
        } catch (ReflectiveOperationException e) {
          // Without the launcher's flag the package is closed: frames stay as they are.
          constructor = Optional.empty();
        }
      }
    }
    return constructor;
  }

  /**
   * The class {@code TapedeckFrame extends OCLKernelStackFrame}, whose {@code enqueueWrite} writes
   * the first time only.
   */
  private static byte[] classFile(ClassDesc context) {
    ClassDesc self = ClassDesc.of(NAME);
    ClassDesc parent = ClassDesc.of(SUPER);
    MethodTypeDesc made =
        MethodTypeDesc.of(
            ConstantDescs.CD_void, ConstantDescs.CD_long, ConstantDescs.CD_int, context);
    MethodTypeDesc write =
        MethodTypeDesc.of(
            ConstantDescs.CD_int, ConstantDescs.CD_long, ConstantDescs.CD_int.arrayType());
    return ClassFile.of()
        .build(
            self,
            c -> {
              c.withFlags(ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                  .withSuperclass(parent)
                  .withField("written", ConstantDescs.CD_boolean, ClassFile.ACC_PRIVATE);
              c.withMethodBody(
                  ConstantDescs.INIT_NAME,
                  made,
                  ClassFile.ACC_PUBLIC,
                  k ->
                      k.aload(0)
                          .lload(1)
                          .iload(3)
                          .aload(4)
                          .invokespecial(parent, ConstantDescs.INIT_NAME, made)
                          .return_());
              c.withMethodBody(
                  "enqueueWrite",
                  write,
                  ClassFile.ACC_PUBLIC,
                  k -> {
                    Label first = k.newLabel();
                    k.aload(0).getfield(self, "written", ConstantDescs.CD_boolean).ifeq(first);
                    // No event.
                    k.iconst_m1().ireturn().labelBinding(first);
                    k.aload(0).iconst_1().putfield(self, "written", ConstantDescs.CD_boolean);
                    k.aload(0).lload(1).aload(3).invokespecial(parent, "enqueueWrite", write);
                    k.ireturn();
                  });
            });
  }

  /** Number of these frames that their graphs use. */
  int inUse() {
    return (int) frames.stream().filter(f -> f.home()[f.index()] == f.frame()).count();
  }

  /** Frees the frames; the plan does not run any more. */
  @Override
  public void close() {
    try {
      for (Frame f : frames) {
        Internals.call(f.frame(), "invalidate");
      }
      frames.clear();
    } catch (ReflectiveOperationException e) {
      throw new DeviceException("[tornado] a launch frame", e);
    }
  }
}
