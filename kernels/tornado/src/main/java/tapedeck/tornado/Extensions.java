package tapedeck.tornado;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import tapedeck.tornado.render.CpuMath;
import uk.ac.manchester.tornado.api.TornadoDeviceMap;

/**
 * Changes to classes of TornadoVM's OpenCL driver, made while they are loaded.
 *
 * <p>Two instructions are in its assembler, but no kernel can use them: the bits of a float32 as an
 * int and back, and fused multiply-add. Without them functions of its own are out of reach, and
 * products take twice the instructions. The class that makes instructions is made to write {@code
 * as_int} and {@code as_float} where it would fail, and the one that knows the mathematical
 * functions learns {@link Math#fma}.
 *
 * <p>Every thread has command queues of its own, which others cannot wait for, so all calls would
 * have to be handed to one thread, at two switches a run. The table of queues is made to take every
 * thread for the same one. A graph ends with a marker in its queue that nobody waits for; it costs
 * a run a fifth of its time and is left out.
 */
final class Extensions {
  private static final String SETTING = "tapedeck.tornado.extensions";
  private static final String OPENCL = "uk.ac.manchester.tornado.drivers.opencl.";
  private static final String DRIVER = OPENCL + "graal.";
  private static final String GRAPHS = "jdk.graal.compiler.nodes.";
  private static final ClassDesc TOOL = ClassDesc.of(DRIVER + "lir.OCLArithmeticTool");
  private static final ClassDesc FUNCTIONS =
      ClassDesc.of(DRIVER + "compiler.plugins.OCLMathPlugins");
  private static final ClassDesc QUEUES = ClassDesc.of(OPENCL + "OCLCommandQueueTable");
  private static final ClassDesc DEVICE = ClassDesc.of(OPENCL + "runtime.OCLTornadoDevice");
  private static final ClassDesc PLUGIN = ClassDesc.of(DRIVER + "compiler.plugins.TapedeckFma");
  private static final ClassDesc PARENT =
      ClassDesc.of(GRAPHS + "graphbuilderconf.InvocationPlugin");
  private static final ClassDesc PLUGINS =
      ClassDesc.of(GRAPHS + "graphbuilderconf.InvocationPlugins");
  private static final ClassDesc VALUE = ClassDesc.of("jdk.vm.ci.meta.Value");
  private static final ClassDesc LIR_KIND = ClassDesc.of("jdk.graal.compiler.core.common.LIRKind");
  private static final ClassDesc KIND = ClassDesc.of("jdk.vm.ci.meta.JavaKind");
  private static final MethodTypeDesc MADE =
      MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_Class, KIND);

  private static Boolean installed;

  private Extensions() {}

  /**
   * Installs them the first time; TornadoVM must not have looked for devices before.
   *
   * @return whether kernels on OpenCL devices may use them: not where the setting forbids it, the
   *     launcher's flags are missing or the driver is another one
   */
  static synchronized boolean install() {
    if (installed == null) {
      installed = !System.getProperty(SETTING, "").equals("off") && define();
    }
    return installed;
  }

  private static boolean define() {
    try {
      // Neighbours in their packages; loading them does not load what is to be replaced.
      MethodHandles.Lookup tools = neighbour(DRIVER + "lir.OCLUnary");
      MethodHandles.Lookup functions = neighbour(DRIVER + "compiler.plugins.OCLVectorPlugins");
      MethodHandles.Lookup base = neighbour(OPENCL + "OCLContextInterface");
      byte[] tool =
          changed(
              tools,
              TOOL,
              is("emitReinterpret", MethodTypeDesc.of(VALUE, LIR_KIND, VALUE)),
              first(Extensions::reinterpret));
      byte[] math =
          changed(
              functions,
              FUNCTIONS,
              is("registerTornadoMathPlugins", MethodTypeDesc.of(ConstantDescs.CD_void, PLUGINS)),
              first(Extensions::register));
      byte[] queues =
          changed(
              base,
              QUEUES,
              m -> m.methodName().equalsString("get") || m.methodName().equalsString("cleanup"),
              Extensions::oneThread);
      MethodHandles.Lookup runtime = neighbour(OPENCL + "runtime.OCLBufferProvider");
      byte[] device =
          changed(
              runtime,
              DEVICE,
              is("enqueueMarker", MethodTypeDesc.of(ConstantDescs.CD_int, ConstantDescs.CD_long)),
              first(Extensions::noMarker));
      functions.defineClass(plugin());
      runtime.defineClass(device);
      base.defineClass(queues);
      functions.defineClass(math);
      tools.defineClass(tool);
      return true;
    } catch (ReflectiveOperationException | IOException | LinkageError e) {
      // No OpenCL driver, another version of it, or flags that keep its packages closed.
      return false;
    }
  }

  private static MethodHandles.Lookup neighbour(String name) throws ReflectiveOperationException {
    ClassLoader loader = TornadoDeviceMap.class.getClassLoader();
    return MethodHandles.privateLookupIn(
        Class.forName(name, false, loader), MethodHandles.lookup());
  }

  private static Predicate<MethodModel> is(String name, MethodTypeDesc type) {
    return m -> m.methodName().equalsString(name) && m.methodTypeSymbol().equals(type);
  }

  private static byte[] changed(
      MethodHandles.Lookup in, ClassDesc type, Predicate<MethodModel> which, CodeTransform change)
      throws IOException, NoSuchMethodException {
    String file = type.displayName() + ".class";
    try (InputStream bytes = in.lookupClass().getResourceAsStream(file)) {
      if (bytes == null) {
        throw new IOException(file + " is missing");
      }
      ClassModel model = ClassFile.of().parse(bytes.readAllBytes());
      if (model.methods().stream().noneMatch(which)) {
        throw new NoSuchMethodException(type.displayName() + " lacks what is to be changed");
      }
      return ClassFile.of()
          .transformClass(model, ClassTransform.transformingMethodBodies(which, change));
    }
  }

  /** Puts instructions before those of a method. */
  private static CodeTransform first(Consumer<CodeBuilder> instructions) {
    return new CodeTransform() {
      @Override
      public void atStart(CodeBuilder code) {
        instructions.accept(code);
      }

      @Override
      public void accept(CodeBuilder code, CodeElement element) {
        code.with(element);
      }
    };
  }

  /** {@code return -1}, which is no event, for a marker that waits for nothing in particular. */
  private static void noMarker(CodeBuilder k) {
    k.iconst_m1().ireturn();
  }

  /** Replaces the number of a thread by 0. */
  private static void oneThread(CodeBuilder code, CodeElement element) {
    if (element instanceof InvokeInstruction i && i.name().equalsString("threadId")) {
      code.pop().lconst_0();
    } else {
      code.with(element);
    }
  }

  /** {@code if (kind is float or int) return emitUnaryAssign(AS_FLOAT or AS_INT, kind, x)}. */
  private static void reinterpret(CodeBuilder k) {
    ClassDesc kinds = ClassDesc.of(DRIVER + "lir.OCLKind");
    ClassDesc intrinsic = ClassDesc.of(DRIVER + "asm.OCLAssembler$OCLUnaryIntrinsic");
    for (String to : List.of("FLOAT", "INT")) {
      Label other = k.newLabel();
      k.aload(1)
          .invokevirtual(
              LIR_KIND,
              "getPlatformKind",
              MethodTypeDesc.of(ClassDesc.of("jdk.vm.ci.meta.PlatformKind")))
          .getstatic(kinds, to, kinds)
          .if_acmpne(other);
      k.aload(0).getstatic(intrinsic, "AS_" + to, intrinsic).aload(1).aload(2);
      k.invokevirtual(
              TOOL,
              "emitUnaryAssign",
              MethodTypeDesc.of(
                  ClassDesc.of("jdk.graal.compiler.lir.Variable"), intrinsic, LIR_KIND, VALUE))
          .areturn()
          .labelBinding(other);
    }
  }

  /**
   * {@code new Registration(plugins, "java.lang.Math").register(new TapedeckFma(type, kind))} for
   * both scalars, and the same for the vectors of {@link CpuMath}.
   */
  private static void register(CodeBuilder k) {
    for (TypeKind t : List.of(TypeKind.FLOAT, TypeKind.DOUBLE)) {
      ClassDesc box = t == TypeKind.FLOAT ? ConstantDescs.CD_Float : ConstantDescs.CD_Double;
      register(
          k,
          Math.class,
          () -> k.getstatic(box, "TYPE", ConstantDescs.CD_Class),
          t == TypeKind.FLOAT ? "Float" : "Double");
    }
    for (ClassDesc v : CpuMath.VECTORS) {
      register(k, CpuMath.class, () -> k.loadConstant(v), "Object");
    }
  }

  private static void register(CodeBuilder k, Class<?> in, Runnable type, String kind) {
    ClassDesc registration = PLUGINS.nested("Registration");
    k.new_(registration).dup().aload(0).ldc(in.getName());
    k.invokespecial(
        registration,
        ConstantDescs.INIT_NAME,
        MethodTypeDesc.of(ConstantDescs.CD_void, PLUGINS, ConstantDescs.CD_String));
    k.new_(PLUGIN).dup();
    type.run();
    k.getstatic(KIND, kind, KIND).invokespecial(PLUGIN, ConstantDescs.INIT_NAME, MADE);
    k.invokevirtual(registration, "register", MethodTypeDesc.of(ConstantDescs.CD_void, PARENT));
  }

  /** The class {@code TapedeckFma extends InvocationPlugin}: a call becomes the driver's node. */
  private static byte[] plugin() {
    ClassDesc graph = ClassDesc.of(GRAPHS + "graphbuilderconf.GraphBuilderContext");
    ClassDesc any = ClassDesc.of("jdk.graal.compiler.graph.Node");
    ClassDesc node = ClassDesc.of(GRAPHS + "ValueNode");
    ClassDesc fused = ClassDesc.of(DRIVER + "nodes.OCLFMANode");
    ClassDesc stamp = ClassDesc.of("jdk.graal.compiler.core.common.type.Stamp");
    ClassDesc view = ClassDesc.of(GRAPHS + "NodeView");
    ClassDesc types = ClassDesc.of("java.lang.reflect.Type").arrayType();
    return ClassFile.of()
        .build(
            PLUGIN,
            c -> {
              c.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                  .withSuperclass(PARENT)
                  .withField("kind", KIND, ClassFile.ACC_PRIVATE);
              c.withMethodBody(
                  ConstantDescs.INIT_NAME,
                  MADE,
                  0,
                  k -> {
                    k.aload(0).ldc("fma").iconst_3().anewarray(types.componentType());
                    for (int i = 0; i < 3; i++) {
                      k.dup().loadConstant(i).aload(1).aastore();
                    }
                    k.invokespecial(
                        PARENT,
                        ConstantDescs.INIT_NAME,
                        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String, types));
                    k.aload(0).aload(2).putfield(PLUGIN, "kind", KIND).return_();
                  });
              c.withMethodBody(
                  "apply",
                  MethodTypeDesc.of(
                      ConstantDescs.CD_boolean,
                      graph,
                      ClassDesc.of("jdk.vm.ci.meta.ResolvedJavaMethod"),
                      PARENT.nested("Receiver"),
                      node,
                      node,
                      node),
                  ClassFile.ACC_PUBLIC,
                  k -> {
                    Label scalar = k.newLabel();
                    k.new_(fused).dup().aload(4).aload(5).aload(6);
                    k.invokespecial(
                            fused,
                            ConstantDescs.INIT_NAME,
                            MethodTypeDesc.of(ConstantDescs.CD_void, node, node, node))
                        .astore(7);
                    // The node takes its operands for numbers of a type of the JVM.
                    k.aload(0).getfield(PLUGIN, "kind", KIND).getstatic(KIND, "Object", KIND);
                    k.if_acmpne(scalar).aload(7).aload(4).getstatic(view, "DEFAULT", view);
                    k.invokevirtual(node, "stamp", MethodTypeDesc.of(stamp, view));
                    k.invokevirtual(
                        node, "setStamp", MethodTypeDesc.of(ConstantDescs.CD_void, stamp));
                    k.labelBinding(scalar);
                    k.aload(1).aload(0).getfield(PLUGIN, "kind", KIND).aload(1).aload(7);
                    k.invokeinterface(graph, "append", MethodTypeDesc.of(any, any));
                    k.checkcast(node);
                    k.invokeinterface(
                        graph, "push", MethodTypeDesc.of(ConstantDescs.CD_void, KIND, node));
                    k.iconst_1().ireturn();
                  });
            });
  }
}
