package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tapedeck.ad.type.Optimisation;
import tapedeck.ad.type.Settings;

/** Every unit runs once, whether workers sleep between jobs or not. */
class WorkerPoolTest {
  @AfterEach
  void usual() {
    System.clearProperty(Settings.AWAKE.key());
    System.clearProperty(Settings.WITHOUT.key());
  }

  /** From one counter for all, as without shares of its own for each thread. */
  @Test
  void everyUnitRunsOnceWithoutShares() throws InterruptedException {
    System.setProperty(Settings.WITHOUT.key(), Optimisation.OWN_SHARES.label());
    everyUnitRunsOnce("2000");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "2000"})
  void everyUnitRunsOnce(String awake) throws InterruptedException {
    System.setProperty(Settings.AWAKE.key(), awake);
    try (WorkerPool pool = new WorkerPool(3)) {
      for (int job = 0; job < 300; job++) {
        AtomicIntegerArray runs = new AtomicIntegerArray(37);
        pool.run(
            37,
            2,
            (from, to) -> {
              for (long i = from; i < to; i++) {
                runs.incrementAndGet((int) i);
              }
            });
        for (int i = 0; i < runs.length(); i++) {
          assertEquals(1, runs.get(i), "unit " + i + " of job " + job);
        }
        if (job % 60 == 0) {
          Thread.sleep(5); // long enough that all workers sleep
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "2000", "200000"})
  void aWorkerSleepsWhenItHasWaited(String awake) throws InterruptedException {
    System.setProperty(Settings.AWAKE.key(), awake);
    try (WorkerPool pool = new WorkerPool(2)) {
      AtomicReference<Thread> worker = new AtomicReference<>();
      Thread caller = Thread.currentThread();
      CountDownLatch both = new CountDownLatch(2);
      pool.run(
          2,
          1,
          (from, to) -> {
            if (Thread.currentThread() != caller) {
              worker.set(Thread.currentThread());
            }
            both.countDown();
            try {
              assertTrue(both.await(10, TimeUnit.SECONDS), "a second thread takes part");
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
          });
      long start = System.nanoTime();
      while (worker.get().getState() != Thread.State.WAITING) {
        assertTrue(System.nanoTime() - start < 10_000_000_000L, "still awake after ten seconds");
        Thread.sleep(0, 100_000);
      }
      long least = TimeUnit.MICROSECONDS.toNanos(Long.parseLong(awake)) / 2;
      assertTrue(System.nanoTime() - start >= least, "asleep too soon");
    }
  }

  @Test
  void aFailureReachesTheCaller() {
    try (WorkerPool pool = new WorkerPool(2)) {
      assertThrows(
          IllegalStateException.class,
          () ->
              pool.run(
                  8,
                  1,
                  (from, to) -> {
                    throw new IllegalStateException("unit " + from);
                  }));
    }
  }
}
