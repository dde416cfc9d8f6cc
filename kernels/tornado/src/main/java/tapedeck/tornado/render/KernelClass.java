package tapedeck.tornado.render;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.constantpool.ConstantPoolBuilder;
import java.lang.classfile.constantpool.MethodRefEntry;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.type.DeviceException;
import uk.ac.manchester.tornado.api.common.TaskPackage;
import uk.ac.manchester.tornado.api.common.TornadoFunctions;

/**
 * Wraps a kernel method's code into a class that TornadoVM accepts as a task. The class implements
 * the task interface of its arity; TornadoVM looks into the bytecode of {@code apply} for the
 * static method that it calls, reading only one byte of that method's place in the constant pool,
 * so that entry is made first. The kernel method has a table of its local variables, without which
 * TornadoVM's compiler fails.
 */
final class KernelClass {
  private static final int FLAGS = ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL | ClassFile.ACC_SUPER;

  private KernelClass() {}

  /**
   * A kernel in one of its forms.
   *
   * @param name name of the method, not that of an OpenCL built-in
   * @param global work-items
   * @param local work-items of a group
   * @param form how the work is spread over work-items, for people
   * @param body writes the method's code
   */
  static JavaKernel kernel(
      String name,
      Kernel kernel,
      Target target,
      long global,
      long local,
      String form,
      Consumer<ExprGen> body) {
    List<Integer> used = Uses.params(kernel);
    byte[] bytes =
        build(name, kernel, used, (code, params) -> body.accept(new ExprGen(code, params, target)));
    return new JavaKernel(name, bytes, used, global, local, form);
  }

  /**
   * A class with one kernel method.
   *
   * @param params the kernel's parameters that become arguments
   * @param body writes the method's code; the first local is the kernel context, and the array
   *     holds the locals of the kernel's parameters
   */
  private static byte[] build(
      String name, Kernel kernel, List<Integer> params, BiConsumer<CodeBuilder, int[]> body) {
    List<ClassDesc> types = new ArrayList<>();
    types.add(Types.CONTEXT);
    params.forEach(p -> types.add(Types.array(kernel.params().get(p).dtype())));
    ClassDesc self = Types.desc(GeneratedKernel.class);
    MethodTypeDesc signature = MethodTypeDesc.of(ConstantDescs.CD_void, types);
    ConstantPoolBuilder pool = ConstantPoolBuilder.of();
    MethodRefEntry entry = pool.methodRefEntry(self, name, signature);
    types.forEach(pool::classEntry);
    return ClassFile.of()
        .build(
            pool.classEntry(self),
            pool,
            c -> {
              c.withFlags(FLAGS)
                  .withSuperclass(Types.desc(KernelTask.class))
                  .withInterfaceSymbols(task(types.size()));
              c.withMethodBody(
                  "apply",
                  erased(types.size(), ConstantDescs.CD_void, ConstantDescs.CD_Object),
                  ClassFile.ACC_PUBLIC,
                  a -> {
                    // NB: TornadoVM reads this method and never runs it, but for its fall-back to
                    // sequential Java, which must not pass as a result of the device.
                    Label read = a.newLabel();
                    a.aload(0)
                        .getfield(
                            Types.desc(KernelTask.class), "onDevice", ConstantDescs.CD_boolean)
                        .ifeq(read)
                        .aload(0)
                        .getfield(
                            Types.desc(KernelTask.class),
                            "fallBack",
                            Types.desc(DeviceException.class))
                        .athrow()
                        .labelBinding(read);
                    for (int i = 0; i < types.size(); i++) {
                      a.aload(i + 1).checkcast(types.get(i));
                    }
                    a.invokestatic(entry).return_();
                  });
              c.withMethodBody(
                  name,
                  signature,
                  ClassFile.ACC_PUBLIC | ClassFile.ACC_STATIC,
                  k -> method(k, types, locals(kernel, params), body));
              c.withMethodBody(
                  ConstantDescs.INIT_NAME,
                  ConstantDescs.MTD_void,
                  ClassFile.ACC_PUBLIC,
                  i ->
                      i.aload(0)
                          .invokespecial(
                              Types.desc(KernelTask.class),
                              ConstantDescs.INIT_NAME,
                              ConstantDescs.MTD_void)
                          .return_());
              c.withMethodBody(
                  "pack",
                  MethodTypeDesc.of(
                      Types.desc(TaskPackage.class),
                      ConstantDescs.CD_String,
                      ConstantDescs.CD_Object.arrayType()),
                  ClassFile.ACC_PUBLIC,
                  p -> pack(p, types.size()));
            });
  }

  /** Local of each of the kernel's parameters; arguments follow the context in order. */
  private static int[] locals(Kernel kernel, List<Integer> params) {
    int[] out = new int[kernel.params().size()];
    for (int i = 0; i < params.size(); i++) {
      out[params.get(i)] = i + 1;
    }
    return out;
  }

  private static void method(
      CodeBuilder k, List<ClassDesc> types, int[] locals, BiConsumer<CodeBuilder, int[]> body) {
    Label start = k.newBoundLabel();
    Label end = k.newLabel();
    for (int i = 0; i < types.size(); i++) {
      k.localVariable(i, i == 0 ? "context" : "p" + (i - 1), types.get(i), start, end);
    }
    body.accept(k, locals);
    k.return_();
    k.labelBinding(end);
  }

  private static void pack(CodeBuilder p, int arity) {
    p.aload(1).aload(0);
    for (int i = 0; i < arity; i++) {
      p.aload(2).loadConstant(i).aaload();
    }
    List<ClassDesc> args = new ArrayList<>();
    args.add(ConstantDescs.CD_String);
    args.add(task(arity));
    args.addAll(Collections.nCopies(arity, ConstantDescs.CD_Object));
    p.invokestatic(
        Types.desc(TaskPackage.class),
        "createPackage",
        MethodTypeDesc.of(Types.desc(TaskPackage.class), args));
    p.areturn();
  }

  private static MethodTypeDesc erased(int arity, ClassDesc result, ClassDesc arg) {
    return MethodTypeDesc.of(result, Collections.nCopies(arity, arg));
  }

  private static ClassDesc task(int arity) {
    return ClassDesc.of(TornadoFunctions.class.getName() + "$Task" + arity);
  }
}
