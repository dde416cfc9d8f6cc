package tapedeck.cpu.jit;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import tapedeck.ad.type.Optimisation;
import tapedeck.ad.type.Settings;

/**
 * Threads that share the units of one job at a time with the thread that submits it. Idle workers
 * look for work for a moment before they sleep, so a sequence of kernels pays no wake-ups. Those
 * cost more than their own time: Linux may wake a thread on the processor of the one that woke it,
 * where it waits for milliseconds while another processor is idle.
 *
 * <p>Each thread has a share of a job's units, always the same part of them, and takes from the
 * others' shares when it has done its own. So a kernel's operands are mostly in the caches of the
 * thread that reads them, if the kernel before was cut alike: from another core's cache they come
 * at a third of the speed where cores do not share their last one.
 */
final class WorkerPool implements AutoCloseable {
  private static final int SPINS = 2000;

  /** Work on units from (inclusive) to (exclusive). */
  @FunctionalInterface
  interface Body {
    void run(long from, long to);
  }

  /** Longs from one share to the next, so that two are never in one line of a cache. */
  private static final int APART = 16;

  /**
   * A job in pieces of {@code grain} units.
   *
   * @param shares by thread the first piece that is left, and above {@link Integer#SIZE} bits the
   *     one after the last
   */
  private record Job(
      Body body, long units, long grain, AtomicLongArray shares, AtomicInteger running) {
    static Job of(Body body, long units, long wanted, int most) {
      long least = Math.max(wanted, (units >> (Integer.SIZE - 2)) + 1);
      long pieces = (units + least - 1) / least;
      // evened out: of two threads neither is to have nearly all
      long grain = (units + pieces - 1) / pieces;
      pieces = (units + grain - 1) / grain;
      int owners = (int) Math.min(most, pieces);
      AtomicLongArray shares = new AtomicLongArray(owners * APART);
      for (int i = 0; i < owners; i++) {
        long from = pieces * i / owners;
        long to = pieces * (i + 1) / owners;
        shares.set(i * APART, (to << Integer.SIZE) | from);
      }
      return new Job(body, units, grain, shares, new AtomicInteger(1));
    }

    /** Takes the next piece of a share, or its last one for a thief; negative if none is left. */
    long take(int share, boolean last) {
      for (; ; ) {
        long now = shares.get(share * APART);
        long from = now & 0xFFFFFFFFL;
        long to = now >>> Integer.SIZE;
        if (from >= to) {
          return -1;
        }
        long then = last ? (((to - 1) << Integer.SIZE) | from) : now + 1;
        if (shares.compareAndSet(share * APART, now, then)) {
          return last ? to - 1 : from;
        }
      }
    }

    void run(long piece) {
      body.run(piece * grain, Math.min(units, (piece + 1) * grain));
    }

    void work(int thread) {
      int owners = shares.length() / APART;
      for (int i = 0; i < owners; i++) {
        int share = (thread + i) % owners;
        for (long piece; (piece = take(share, i > 0)) >= 0; ) {
          run(piece);
        }
      }
    }

    void stop() {
      for (int i = 0; i < shares.length(); i += APART) {
        shares.set(i, 0);
      }
    }
  }

  private final Thread[] workers;
  private final int threads;

  /** Shares of a job at most. */
  private final int shares;

  /** Nanoseconds for which an idle worker lets others run and looks again before it sleeps. */
  private final long awake = 1000L * Settings.AWAKE.intValue(0);

  private volatile Job job;
  private volatile Throwable failure;
  private volatile boolean closed;

  WorkerPool(int threads) {
    this.threads = threads;
    this.shares = Optimisation.OWN_SHARES.isOn() ? threads : 1;
    workers = new Thread[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      int thread = i + 1;
      workers[i] = new Thread(() -> serve(thread), "tapedeck-cpu-" + thread);
      workers[i].setDaemon(true);
      workers[i].start();
    }
  }

  int threads() {
    return threads;
  }

  /** Runs all units, {@code grain} at a time, and returns when they are done. One job at a time. */
  @SuppressWarnings("ThreadPriorityCheck") // only a hint: the result does not rest on it
  void run(long units, long grain, Body body) {
    if (workers.length == 0 || units <= grain) {
      body.run(0, units);
      return;
    }
    Job j = Job.of(body, units, grain, shares);
    failure = null;
    job = j;
    long wanted = Math.min(workers.length, (units - 1) / grain);
    for (int i = 0; i < wanted; i++) {
      LockSupport.unpark(workers[i]);
    }
    work(j, 0);
    job = null;
    if (j.running.decrementAndGet() > 0) {
      // On a busy machine the worker may wait for this very processor.
      for (int spins = 0; j.running.get() > 0; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          Thread.yield();
        }
      }
    }
    Throwable t = failure;
    if (t instanceof RuntimeException e) {
      throw e;
    }
    if (t instanceof Error e) {
      throw e;
    }
  }

  private void work(Job j, int thread) {
    try {
      j.work(thread);
    } catch (RuntimeException | Error e) {
      failure = e;
      j.stop();
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // only a hint, as above
  private void serve(int thread) {
    Job done = null;
    int idle = 0;
    long since = 0;
    while (!closed) {
      Job j = job;
      if (j != null && j != done) {
        done = j;
        idle = 0;
        if (enter(j)) {
          work(j, thread);
          j.running.decrementAndGet();
        }
      } else if (++idle < SPINS) {
        Thread.onSpinWait();
      } else if (idle == SPINS) {
        since = System.nanoTime();
      } else if (System.nanoTime() - since < awake) {
        Thread.yield();
      } else {
        LockSupport.park(this);
        idle = 0;
      }
    }
  }

  /** Joins a job unless its submitter has left it already. */
  private static boolean enter(Job j) {
    for (int n = j.running.get(); n > 0; n = j.running.get()) {
      if (j.running.compareAndSet(n, n + 1)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
    closed = true;
    for (Thread t : workers) {
      LockSupport.unpark(t);
      boolean interrupted = false;
      while (t.isAlive()) {
        try {
          t.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
