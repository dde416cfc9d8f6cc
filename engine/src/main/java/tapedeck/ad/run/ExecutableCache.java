package tapedeck.ad.run;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import tapedeck.ad.backend.Device;
import tapedeck.ad.tape.Tape;

/**
 * Compiled tapes, the least recently used dropped first. Compilation happens outside of the cache's
 * lock, once per key.
 */
final class ExecutableCache {
  /** What a compiled tape depends on. */
  record Key(Tape tape, Set<Integer> donated, Device device, String settings) {}

  private static final int ENTRIES = 4096;

  private final Function<Key, CompiledTape> compiler;
  private final LinkedHashMap<Key, Entry> entries = new LinkedHashMap<>(64, 0.75f, true);
  private long arenaBytes;
  private long compilations;

  ExecutableCache(Function<Key, CompiledTape> compiler) {
    this.compiler = compiler;
  }

  /** A place in the cache; its lock is held while its tape is compiled. */
  private static final class Entry {
    volatile CompiledTape tape;
  }

  /** The compiled tape, retained for the caller. */
  CompiledTape retain(Key key) {
    while (true) {
      Entry e;
      synchronized (this) {
        e = entries.computeIfAbsent(key, k -> new Entry());
      }
      CompiledTape found;
      synchronized (e) {
        if (e.tape == null) {
          try {
            e.tape = compiler.apply(key);
          } catch (RuntimeException | Error x) {
            synchronized (this) {
              entries.remove(key, e);
            }
            throw x;
          }
          added(key, e);
        }
        found = e.tape;
        if (found.retain()) {
          return found;
        }
      }
      // Dropped between the look-up and now.
      synchronized (this) {
        entries.remove(key, e);
      }
    }
  }

  private void added(Key key, Entry e) {
    List<CompiledTape> old = new ArrayList<>();
    synchronized (this) {
      compilations++;
      arenaBytes += e.tape.arenaBytes();
      long most = limit(key.device());
      Iterator<Map.Entry<Key, Entry>> it = entries.entrySet().iterator();
      while (it.hasNext() && (entries.size() > ENTRIES || arenaBytes > most)) {
        Entry x = it.next().getValue();
        if (x != e && x.tape != null) {
          it.remove();
          arenaBytes -= x.tape.arenaBytes();
          old.add(x.tape);
        }
      }
    }
    old.forEach(CompiledTape::drop);
  }

  private static long limit(Device d) {
    long memory = d.info().memoryBytes();
    return memory > 0 ? memory / 2 : Long.MAX_VALUE;
  }

  /** Drops everything that was compiled for a device. */
  void drop(Device device) {
    List<CompiledTape> old = new ArrayList<>();
    synchronized (this) {
      entries
          .entrySet()
          .removeIf(
              e -> {
                CompiledTape t = e.getValue().tape;
                if (e.getKey().device() != device || t == null) {
                  return false;
                }
                arenaBytes -= t.arenaBytes();
                old.add(t);
                return true;
              });
    }
    old.forEach(CompiledTape::drop);
  }

  synchronized long compilations() {
    return compilations;
  }
}
