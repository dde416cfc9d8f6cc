package tapedeck.cpu.jit;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.DynamicCallSiteDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import tapedeck.ad.type.DeviceException;

/**
 * The hidden class of a kernel. Code that is being written may ask for further methods: HotSpot
 * compiles no method of more than 8,000 bytes, and small ones sooner.
 */
final class ClassGen {
  private static final ClassDesc SELF =
      ClassDesc.of(ClassGen.class.getPackageName() + ".Generated");

  private static final MethodTypeDesc RUN =
      MethodTypeDesc.of(
          ConstantDescs.CD_void,
          ConstantDescs.CD_long.arrayType(),
          ConstantDescs.CD_long,
          ConstantDescs.CD_long,
          ConstantDescs.CD_long,
          ConstantDescs.CD_long.arrayType());

  private record Method(String name, MethodTypeDesc type, Consumer<CodeBuilder> body) {}

  private static final ClassDesc SHARED =
      ClassDesc.of(ClassGen.class.getPackageName() + ".GeneratedLoop");

  private static final DirectMethodHandleDesc LINK =
      ConstantDescs.ofCallsiteBootstrap(
          SharedMethods.class.describeConstable().orElseThrow(),
          "link",
          ConstantDescs.CD_CallSite,
          ConstantDescs.CD_int);

  private final Deque<Method> pending = new ArrayDeque<>();
  private final List<Callee> shared = new ArrayList<>();
  private final List<byte[]> sharedFiles = new ArrayList<>();
  private int methods;

  /**
   * A static method, which {@link #call} calls.
   *
   * @param position of a shared method in the class's data, negative for one of the class itself
   */
  record Callee(String name, MethodTypeDesc type, int position) {}

  Callee add(String prefix, MethodTypeDesc type, Consumer<CodeBuilder> body) {
    Callee made = new Callee(prefix + methods++, type, -1);
    pending.add(new Method(made.name(), type, body));
    return made;
  }

  /** A method that kernels share whose method comes out the same. It calls none of its class. */
  Callee share(String name, MethodTypeDesc type, Consumer<CodeBuilder> body) {
    Callee made = new Callee(name, type, shared.size());
    shared.add(made);
    sharedFiles.add(
        ClassFile.of()
            .build(SHARED, c -> c.withMethodBody(name, type, ClassFile.ACC_STATIC, body)));
    return made;
  }

  /** Calls a method whose arguments are on the stack. */
  static void call(CodeBuilder code, Callee callee) {
    if (callee.position() < 0) {
      code.invokestatic(SELF, callee.name(), callee.type());
    } else {
      code.invokedynamic(
          DynamicCallSiteDesc.of(LINK, callee.name(), callee.type(), callee.position()));
    }
  }

  /** Bytes of the class with this {@link KernelCode#run} and all methods that writing it adds. */
  byte[] write(Consumer<CodeBuilder> run) {
    return ClassFile.of()
        .build(
            SELF,
            c -> {
              c.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                  .withInterfaceSymbols(KernelCode.class.describeConstable().orElseThrow())
                  .withMethodBody(
                      ConstantDescs.INIT_NAME,
                      ConstantDescs.MTD_void,
                      0,
                      b ->
                          b.aload(0)
                              .invokespecial(
                                  ConstantDescs.CD_Object,
                                  ConstantDescs.INIT_NAME,
                                  ConstantDescs.MTD_void)
                              .return_())
                  .withMethodBody("run", RUN, ClassFile.ACC_PUBLIC, run);
              for (Method m = pending.poll(); m != null; m = pending.poll()) {
                c.withMethodBody(m.name(), m.type(), ClassFile.ACC_STATIC, m.body());
              }
            });
  }

  /** The classes of shared methods that writing has added. */
  List<byte[]> sharedFiles() {
    return List.copyOf(sharedFiles);
  }

  /** Writes the class and loads it. */
  KernelCode load(Consumer<CodeBuilder> run) {
    byte[] bytes = write(run);
    try {
      MethodHandles.Lookup here = MethodHandles.lookup();
      List<MethodHandle> data = new ArrayList<>();
      for (Callee c : shared) {
        data.add(
            SharedMethods.get(
                sharedFiles.get(c.position()), c.name(), c.type().resolveConstantDesc(here)));
      }
      Class<?> type = here.defineHiddenClassWithClassData(bytes, data, true).lookupClass();
      return (KernelCode) type.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new DeviceException("[cpu] generated code of a kernel did not load: " + e, e);
    }
  }
}
