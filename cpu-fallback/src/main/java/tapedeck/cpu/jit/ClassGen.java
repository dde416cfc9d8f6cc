package tapedeck.cpu.jit;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.util.ArrayDeque;
import java.util.Deque;
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

  private final Deque<Method> pending = new ArrayDeque<>();
  private int methods;

  /** A static method, which {@link #call} calls. */
  record Callee(String name, MethodTypeDesc type) {}

  Callee add(String prefix, MethodTypeDesc type, Consumer<CodeBuilder> body) {
    Callee made = new Callee(prefix + methods++, type);
    pending.add(new Method(made.name(), type, body));
    return made;
  }

  /** Calls a method whose arguments are on the stack. */
  static void call(CodeBuilder code, Callee callee) {
    code.invokestatic(SELF, callee.name(), callee.type());
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

  static KernelCode load(byte[] bytes) {
    try {
      Class<?> type = MethodHandles.lookup().defineHiddenClass(bytes, true).lookupClass();
      return (KernelCode) type.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new DeviceException("[cpu] generated code of a kernel did not load: " + e, e);
    }
  }
}
