package tapedeck.cpu.fast;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.Settings;

/** A plan and its code, in a hidden class of its own. Equal kernels are compiled once. */
final class CompiledKernel {
  private record Key(Kernel kernel, Vectors vectors, boolean ordered) {}

  /** Kernels that are kept although no executable may use them. */
  private static final int CACHE = 1024;

  /** HotSpot leaves longer methods to its interpreter. */
  private static final int HUGE = 8000;

  /** Scalar instructions that a thread should get at a time: some ten microseconds. */
  private static final double CHUNK_COST = 40_000;

  private static final Map<Key, CompiledKernel> COMPILED =
      new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, CompiledKernel> eldest) {
          return size() > CACHE;
        }
      };

  private static int dumps;

  final Plan plan;
  final KernelCode code;
  final long points;

  /** Smallest number of points that is worth giving to a thread. */
  private final long grain;

  private CompiledKernel(Plan plan, KernelCode code) {
    this.plan = plan;
    this.code = code;
    this.points = plan.points();
    this.grain = (long) Math.max(1, CHUNK_COST / Math.max(1, plan.cost / points));
  }

  /**
   * Compiles a kernel.
   *
   * @param ordered whether ranges of points must be those of the kernel's own grid order
   * @throws DeviceException if the kernel is too large for a class file
   */
  static synchronized CompiledKernel of(Kernel kernel, Vectors vectors, boolean ordered) {
    return COMPILED.computeIfAbsent(
        new Key(kernel, vectors, ordered), k -> compile(kernel, vectors, ordered));
  }

  private static CompiledKernel compile(Kernel kernel, Vectors vectors, boolean ordered) {
    Plan plan = Plan.of(kernel, vectors, ordered);
    try {
      byte[] bytes = assemble(plan);
      if (plan.strategy != Plan.Strategy.SCALAR && codeSize(bytes) > HUGE) {
        // Vector code that stays with the interpreter is far slower than scalar code.
        plan = Plan.scalar(kernel, vectors);
        bytes = assemble(plan);
      }
      dump(plan, bytes);
      MethodHandles.Lookup lookup = MethodHandles.lookup().defineHiddenClass(bytes, true);
      KernelCode code =
          (KernelCode)
              lookup
                  .findConstructor(lookup.lookupClass(), MethodType.methodType(void.class))
                  .invoke();
      return new CompiledKernel(plan, code);
    } catch (IllegalArgumentException e) {
      throw new DeviceException("[cpu] kernel does not compile: " + e.getMessage(), e);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new DeviceException("[cpu] kernel does not load: " + e.getMessage(), e);
    }
  }

  private static int codeSize(byte[] bytes) {
    return ClassFile.of().parse(bytes).methods().stream()
        .flatMap(m -> m.findAttribute(Attributes.code()).stream())
        .mapToInt(CodeAttribute::codeLength)
        .max()
        .orElse(0);
  }

  private static byte[] assemble(Plan plan) {
    MethodTypeDesc none = MethodTypeDesc.of(ConstantDescs.CD_void);
    return ClassFile.of()
        .build(
            ClassDesc.of(CompiledKernel.class.getPackageName() + ".Kernel"),
            b ->
                b.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                    .withInterfaceSymbols(ClassDesc.of(KernelCode.class.getName()))
                    .withMethodBody(
                        ConstantDescs.INIT_NAME,
                        none,
                        0,
                        c ->
                            c.aload(0)
                                .invokespecial(
                                    ConstantDescs.CD_Object, ConstantDescs.INIT_NAME, none)
                                .return_())
                    .withMethodBody(
                        "run",
                        MethodTypeDesc.ofDescriptor("([JJJJ)V"),
                        ClassFile.ACC_PUBLIC,
                        c -> new CodeGen(plan, c).emit()));
  }

  private static void dump(Plan plan, byte[] bytes) {
    String folder = Settings.DUMP.get();
    if (folder.isEmpty()) {
      return;
    }
    try {
      Path dir = Files.createDirectories(Path.of(folder));
      String name = String.format("cpu-kernel-%04d", dumps++);
      Files.write(dir.resolve(name + ".class"), bytes);
      Files.writeString(dir.resolve(name + ".txt"), plan.toString());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write to " + Settings.DUMP.key() + " " + folder, e);
    }
  }

  /** Points per task: enough work each, whole rows where rows are short, few tasks per thread. */
  long chunk(int threads) {
    long share = (points + 4L * threads - 1) / (4L * threads);
    long chunk = Math.max(grain, share);
    int last = plan.grid.size() - 1;
    long unit = last < 0 ? 1 : plan.grid.get(last).extent();
    unit = unit > chunk ? 64 : unit;
    return (chunk + unit - 1) / unit * unit;
  }
}
