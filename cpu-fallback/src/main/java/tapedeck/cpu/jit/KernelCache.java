package tapedeck.cpu.jit;

import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Map;
import java.util.WeakHashMap;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.type.Settings;

/** Compiled kernels by kernel and optimisations, kept as long as an executable uses them. */
final class KernelCache {
  private final boolean vectors;
  private final Map<String, Map<Kernel, WeakReference<CpuKernel>>> known = new HashMap<>();

  KernelCache(boolean vectors) {
    this.vectors = vectors;
  }

  synchronized CpuKernel get(Kernel kernel, String label) {
    Map<Kernel, WeakReference<CpuKernel>> alike =
        known.computeIfAbsent(Settings.WITHOUT.get(), w -> new WeakHashMap<>());
    WeakReference<CpuKernel> r = alike.get(kernel);
    CpuKernel k = r == null ? null : r.get();
    if (k == null) {
      k = CpuKernel.compile(kernel, label, vectors);
      // The value holds the key, so an entry lives exactly as long as somebody uses the kernel.
      alike.put(k.kernel(), new WeakReference<>(k));
    }
    return k;
  }
}
