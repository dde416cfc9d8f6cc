package tapedeck.cpu.jit;

import java.lang.invoke.CallSite;
import java.lang.invoke.ConstantCallSite;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Methods that kernels have in common, each in a hidden class of its own. A vector loop finds its
 * addresses and its length in arguments and scratch memory, so kernels of different shapes often
 * have the same one, and the JIT, which takes longer than most kernels run, compiles it once.
 */
final class SharedMethods {
  /** A class file as a key. */
  private record Key(byte[] bytes) {
    @Override
    public boolean equals(Object o) {
      return o instanceof Key k && Arrays.equals(bytes, k.bytes);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(bytes);
    }
  }

  /** Entries between searches for those whose class is gone. */
  private static final int SWEEP = 256;

  private static final Map<Key, WeakReference<MethodHandle>> KNOWN = new HashMap<>();
  private static int sweepAt = SWEEP;

  private SharedMethods() {}

  /** The only method of a class, loaded unless some kernel in use has loaded it already. */
  static synchronized MethodHandle get(byte[] classFile, String name, MethodType type)
      throws ReflectiveOperationException {
    WeakReference<MethodHandle> r = KNOWN.get(new Key(classFile));
    MethodHandle m = r == null ? null : r.get();
    if (m == null) {
      MethodHandles.Lookup in = MethodHandles.lookup().defineHiddenClass(classFile, true);
      m = in.findStatic(in.lookupClass(), name, type);
      KNOWN.put(new Key(classFile), new WeakReference<>(m));
      if (KNOWN.size() >= sweepAt) {
        KNOWN.values().removeIf(w -> w.get() == null);
        sweepAt = KNOWN.size() + SWEEP;
      }
    }
    return m;
  }

  /** Links a call of the method that stands at this position of the calling class's data. */
  static CallSite link(MethodHandles.Lookup caller, String name, MethodType type, int position)
      throws IllegalAccessException {
    List<?> methods = MethodHandles.classData(caller, "_", List.class);
    return new ConstantCallSite(((MethodHandle) methods.get(position)).asType(type));
  }
}
