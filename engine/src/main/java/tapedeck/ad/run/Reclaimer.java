package tapedeck.ad.run;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Runs an action when an object was collected. Unlike a {@link java.lang.ref.Cleaner} it can be
 * told to do at once all that the last collection has made possible.
 */
final class Reclaimer extends PhantomReference<Object> {
  private static final ReferenceQueue<Object> QUEUE = new ReferenceQueue<>();
  private static final Set<Reclaimer> WATCHED = ConcurrentHashMap.newKeySet();

  static {
    Thread.ofPlatform().daemon().name("tapedeck-reclaimer").start(Reclaimer::serve);
  }

  private final Runnable action;

  private Reclaimer(Object watched, Runnable action) {
    super(watched, QUEUE);
    this.action = action;
  }

  /** Runs {@code action}, which must not refer to {@code object}, once that is unreachable. */
  static Reclaimer watch(Object object, Runnable action) {
    Reclaimer r = new Reclaimer(object, action);
    WATCHED.add(r);
    return r;
  }

  /** Forgets the object. */
  void cancel() {
    WATCHED.remove(this);
    clear();
  }

  /** One at a time, so that {@link #collect} returns after an action that had begun before it. */
  private void reclaim() {
    synchronized (WATCHED) {
      if (WATCHED.remove(this)) {
        action.run();
      }
    }
  }

  /** Collects garbage and runs the actions of everything that turned out to be unreachable. */
  static void collect() {
    System.gc();
    synchronized (WATCHED) {
      for (Reclaimer r : WATCHED) {
        if (r.refersTo(null)) {
          r.reclaim();
        }
      }
    }
  }

  private static void serve() {
    while (true) {
      try {
        ((Reclaimer) QUEUE.remove()).reclaim();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        // A buffer that cannot be freed must not keep the others from it.
        System.err.println("[memory] " + e.getMessage());
      }
    }
  }
}
