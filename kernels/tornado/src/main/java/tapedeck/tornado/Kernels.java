package tapedeck.tornado;

import java.lang.reflect.InvocationTargetException;
import java.util.LinkedHashMap;
import java.util.Map;
import tapedeck.ad.kir.Kernel;
import tapedeck.tornado.render.GeneratedKernel;
import tapedeck.tornado.render.JavaKernel;
import tapedeck.tornado.render.KernelTask;
import tapedeck.tornado.render.Renderer;
import tapedeck.tornado.render.Target;

/** Kernel classes of one device; equal kernels share one. */
final class Kernels {
  private static final int KEPT = 512;

  /**
   * A loaded kernel class.
   *
   * @param kernel how it is launched
   * @param task an instance of it
   */
  record Loaded(JavaKernel kernel, KernelTask task) {}

  private final Renderer renderer;
  private final Map<Kernel, Loaded> cache =
      new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Kernel, Loaded> eldest) {
          return size() > KEPT;
        }
      };

  Kernels(Target target) {
    this.renderer = new Renderer(target);
  }

  /** The class of a kernel. */
  synchronized Loaded get(Kernel kernel) {
    Loaded l = cache.get(kernel);
    if (l == null) {
      l = load(renderer.render(kernel));
      cache.put(kernel, l);
    }
    return l;
  }

  static Loaded load(JavaKernel k) {
    try {
      return new Loaded(k, (KernelTask) new Loader().define(k).getConstructor().newInstance());
    } catch (NoSuchMethodException
        | InstantiationException
        | IllegalAccessException
        | InvocationTargetException e) {
      throw new LinkageError("generated class " + k.name(), e);
    }
  }

  /** One loader per class, so that a class goes when nothing uses it any more. */
  private static final class Loader extends ClassLoader {
    Loader() {
      super(KernelTask.class.getClassLoader());
    }

    Class<?> define(JavaKernel k) {
      return defineClass(GeneratedKernel.class.getName(), k.classFile(), 0, k.classFile().length);
    }
  }
}
