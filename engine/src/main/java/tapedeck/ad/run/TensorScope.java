package tapedeck.ad.run;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import tapedeck.ad.tensor.Storage;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.transform.Pytree;
import tapedeck.ad.type.TapedeckException;

/**
 * Closes, when it is closed itself, every tensor whose memory the thread that opened it made since,
 * but those that were kept. Scopes nest; a tensor that is kept belongs to the scope around.
 */
public final class TensorScope implements AutoCloseable {
  private static final ThreadLocal<TensorScope> INNERMOST = new ThreadLocal<>();

  private final TensorScope outer = INNERMOST.get();
  private final Thread owner = Thread.currentThread();
  private final Set<Storage> kept = Collections.newSetFromMap(new IdentityHashMap<>());
  private List<DeviceStorage> made = new ArrayList<>();
  private int pruneAt = 1024;
  private boolean closed;

  private TensorScope() {}

  /**
   * Opens a scope for the calling thread, inside of its innermost one.
   *
   * @return the scope, which this thread must close
   */
  public static TensorScope open() {
    TensorScope s = new TensorScope();
    INNERMOST.set(s);
    return s;
  }

  static void register(DeviceStorage storage) {
    TensorScope s = INNERMOST.get();
    if (s != null) {
      s.add(storage);
    }
  }

  /**
   * Takes back the last registration: the memory of a constant belongs to a tensor that may be
   * older.
   */
  static void forget(Storage storage) {
    TensorScope s = INNERMOST.get();
    if (s != null && !s.made.isEmpty() && s.made.getLast() == storage) {
      s.made.removeLast();
    }
  }

  private void add(DeviceStorage storage) {
    made.add(storage);
    if (made.size() >= pruneAt) {
      made.removeIf(DeviceStorage::isClosed);
      pruneAt = Math.max(1024, 2 * made.size());
    }
  }

  /**
   * {@return the pytree, whose tensors are excepted from the scope} They belong to the scope
   * around, if there is one.
   *
   * @param <T> a tensor or a pytree of tensors
   * @param tree tensors, made here or elsewhere
   * @throws tapedeck.ad.type.ClosedException if one is closed
   */
  public <T> T keep(T tree) {
    for (Tensor t : Pytree.flatten(tree).leaves()) {
      if (!t.isTraced() && !t.device().isEmpty()) {
        kept.add(t.storage());
      }
    }
    return tree;
  }

  /**
   * Closes what was made in this scope and not kept.
   *
   * @throws TapedeckException if another thread, or a scope that contains this one, closes it first
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (Thread.currentThread() != owner || INNERMOST.get() != this) {
      throw new TapedeckException("[scope] scopes must be closed by their thread, innermost first");
    }
    closed = true;
    if (outer == null) {
      INNERMOST.remove();
    } else {
      INNERMOST.set(outer);
    }
    for (DeviceStorage s : made) {
      if (!kept.contains(s)) {
        s.close();
      } else if (outer != null) {
        outer.add(s);
      }
    }
    made = List.of();
  }
}
