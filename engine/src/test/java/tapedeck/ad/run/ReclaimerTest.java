package tapedeck.ad.run;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.Reference;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class ReclaimerTest {
  @Test
  @Timeout(60)
  void aCollectionReturnsAfterActionsThatHadBegun() throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    AtomicBoolean done = new AtomicBoolean();
    Reclaimer.watch(
        new Object(),
        () -> {
          begun.countDown();
          try {
            Thread.sleep(Duration.ofMillis(200));
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          done.set(true);
        });
    while (begun.getCount() > 0) {
      System.gc();
      Thread.sleep(Duration.ofMillis(1));
    }
    Reclaimer.collect();
    assertTrue(done.get());
  }

  @Test
  void whatIsReachableStays() {
    AtomicBoolean done = new AtomicBoolean();
    Object kept = new Object();
    Reclaimer r = Reclaimer.watch(kept, () -> done.set(true));
    try {
      Reclaimer.collect();
      assertFalse(done.get());
    } finally {
      Reference.reachabilityFence(kept);
      r.cancel();
    }
  }
}
