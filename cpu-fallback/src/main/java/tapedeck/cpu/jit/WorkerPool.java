package tapedeck.cpu.jit;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import tapedeck.ad.type.Settings;

/**
 * Threads that share the units of one job at a time with the thread that submits it. Idle workers
 * look for work for a moment before they sleep, so a sequence of kernels pays no wake-ups. Those
 * cost more than their own time: Linux may wake a thread on the processor of the one that woke it,
 * where it waits for milliseconds while another processor is idle.
 */
final class WorkerPool implements AutoCloseable {
  private static final int SPINS = 2000;

  /** Work on units from (inclusive) to (exclusive). */
  @FunctionalInterface
  interface Body {
    void run(long from, long to);
  }

  private record Job(Body body, long units, long grain, AtomicLong next, AtomicInteger running) {}

  private final Thread[] workers;
  private final int threads;

  /** Nanoseconds for which an idle worker lets others run and looks again before it sleeps. */
  private final long awake = 1000L * Settings.AWAKE.intValue(0);

  private volatile Job job;
  private volatile Throwable failure;
  private volatile boolean closed;

  WorkerPool(int threads) {
    this.threads = threads;
    workers = new Thread[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Thread(this::serve, "tapedeck-cpu-" + (i + 1));
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
    Job j = new Job(body, units, grain, new AtomicLong(), new AtomicInteger(1));
    failure = null;
    job = j;
    long wanted = Math.min(workers.length, (units - 1) / grain);
    for (int i = 0; i < wanted; i++) {
      LockSupport.unpark(workers[i]);
    }
    work(j);
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

  private void work(Job j) {
    try {
      for (long from; (from = j.next.getAndAdd(j.grain)) < j.units; ) {
        j.body.run(from, Math.min(j.units, from + j.grain));
      }
    } catch (RuntimeException | Error e) {
      failure = e;
      j.next.set(j.units);
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // only a hint, as above
  private void serve() {
    Job done = null;
    int idle = 0;
    long since = 0;
    while (!closed) {
      Job j = job;
      if (j != null && j != done) {
        done = j;
        idle = 0;
        if (enter(j)) {
          work(j);
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
