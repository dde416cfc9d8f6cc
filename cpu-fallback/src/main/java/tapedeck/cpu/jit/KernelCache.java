package tapedeck.cpu.jit;

import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.WeakHashMap;
import tapedeck.ad.kir.Kernel;

/** Compiled kernels by kernel, kept as long as an executable uses them. */
final class KernelCache {
  private final boolean vectors;
  private final Map<Kernel, WeakReference<CpuKernel>> known = new WeakHashMap<>();

  KernelCache(boolean vectors) {
    this.vectors = vectors;
  }

  synchronized CpuKernel get(Kernel kernel, String label) {
    WeakReference<CpuKernel> r = known.get(kernel);
    CpuKernel k = r == null ? null : r.get();
    if (k == null) {
      k = CpuKernel.compile(kernel, label, vectors);
      // The value holds the key, so an entry lives exactly as long as somebody uses the kernel.
      known.put(k.kernel(), new WeakReference<>(k));
    }
    return k;
  }
}
