package tapedeck.cpu.fast;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import tapedeck.ad.type.OutOfDeviceMemoryException;

/**
 * Threads that share out the tasks of one job at a time. Idle threads watch for work briefly and
 * then sleep. A caller that finds the pool busy does its tasks alone.
 */
final class WorkerPool {
  /** One kind of task; tasks of a job may run in any order and at the same time. */
  interface Job {
    /** Runs a task with the calling thread's scratch memory. */
    void run(long task, long scratch);
  }

  /** Spins before a thread sleeps: about 20 microseconds. */
  private static final int SPINS = 600;

  private static final Map<Integer, WorkerPool> POOLS = new HashMap<>();

  private final Thread[] threads;
  private final boolean[] asleep;
  private final ReentrantLock busy = new ReentrantLock();
  private final AtomicLong next = new AtomicLong();
  private final AtomicInteger inside = new AtomicInteger();
  private volatile boolean open;
  private volatile Throwable failure;
  private Job job;
  private long tasks;

  /** The pool for this many threads, the caller's included. */
  static synchronized WorkerPool of(int threads) {
    return POOLS.computeIfAbsent(Math.max(1, threads), WorkerPool::new);
  }

  private WorkerPool(int size) {
    threads = new Thread[size - 1];
    asleep = new boolean[size - 1];
    for (int i = 0; i < threads.length; i++) {
      int me = i;
      NativeMemory.Block scratch = NativeMemory.allocate(Plan.scratchBytes() + GemmPlan.TILE_BYTES);
      if (scratch == null) {
        throw new OutOfDeviceMemoryException("[cpu] no memory for a thread's scratch buffer");
      }
      threads[i] = new Thread(() -> work(me, scratch.address()), "tapedeck-cpu-" + (i + 1));
      threads[i].setDaemon(true);
      threads[i].start();
    }
  }

  int size() {
    return threads.length + 1;
  }

  /** Runs all tasks and returns when they are done. */
  void run(Job work, long count, long scratch) {
    if (count <= 1 || threads.length == 0 || !busy.tryLock()) {
      for (long t = 0; t < count; t++) {
        work.run(t, scratch);
      }
      return;
    }
    try {
      job = work;
      tasks = count;
      failure = null;
      next.set(0);
      open = true;
      wake((int) Math.min(count - 1, threads.length));
      drain(scratch);
      open = false;
      while (inside.get() != 0) {
        Thread.onSpinWait();
      }
      job = null;
      rethrow(failure);
    } finally {
      busy.unlock();
    }
  }

  private static void rethrow(Throwable t) {
    switch (t) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(t);
    }
  }

  private void wake(int count) {
    for (int i = 0; i < count; i++) {
      if (isAsleep(i)) {
        LockSupport.unpark(threads[i]);
      }
    }
  }

  private synchronized boolean isAsleep(int i) {
    return asleep[i];
  }

  private synchronized void setAsleep(int i, boolean value) {
    asleep[i] = value;
  }

  private void drain(long scratch) {
    try {
      for (long t = next.getAndIncrement(); t < tasks; t = next.getAndIncrement()) {
        job.run(t, scratch);
      }
    } catch (Throwable t) {
      failure = t;
      next.set(tasks);
    }
  }

  private void work(int me, long scratch) {
    int idle = 0;
    while (true) {
      if (open && next.get() < tasks) {
        // The count keeps the job's fields in place; after it, the job may have ended already.
        inside.incrementAndGet();
        if (open) {
          drain(scratch);
        }
        inside.decrementAndGet();
        idle = 0;
      } else if (idle++ < SPINS) {
        Thread.onSpinWait();
      } else {
        setAsleep(me, true);
        // A job that opened before the flag was set would not wake this thread.
        if (!open) {
          LockSupport.park(this);
        }
        setAsleep(me, false);
        idle = 0;
      }
    }
  }
}
