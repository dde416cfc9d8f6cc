package tapedeck.bench.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ImageDataTest {
  @Test
  void digitsAreAllThere() {
    ImageData d = ImageData.digits();
    assertEquals(1437, d.train().size());
    assertEquals(360, d.test().size());
    assertEquals(64, d.train().features());
    assertEquals(10, d.train().classes());
    int[] count = new int[10];
    IntStream.concat(Arrays.stream(d.train().labels()), Arrays.stream(d.test().labels()))
        .forEach(label -> count[label]++);
    // The counts that the data set's description states.
    assertArrayEquals(new int[] {178, 182, 177, 183, 181, 182, 181, 179, 174, 180}, count);
    long ink = 0;
    for (Dataset part : List.of(d.train(), d.test())) {
      for (byte p : part.pixels()) {
        assertTrue(p >= 0 && p <= 16, "pixel " + p);
        ink += p;
      }
    }
    assertEquals(561718, ink);
  }

  @Test
  void theSplitIsFixed() {
    ImageData a = ImageData.digits();
    ImageData b = ImageData.digits();
    assertArrayEquals(a.test().pixels(), b.test().pixels());
    assertArrayEquals(a.train().labels(), b.train().labels());
  }

  @Test
  void batchesVisitEveryImageOnceAnEpoch() {
    List<int[]> batches = Batches.shuffled(103, 10, 7, 0);
    assertEquals(10, batches.size());
    int[] seen = batches.stream().flatMapToInt(Arrays::stream).sorted().toArray();
    assertEquals(100, Arrays.stream(seen).distinct().count());
    assertTrue(seen[0] >= 0 && seen[99] < 103);
    assertArrayEquals(batches.get(3), Batches.shuffled(103, 10, 7, 0).get(3));
    assertNotEquals(
        Arrays.toString(batches.get(0)), Arrays.toString(Batches.shuffled(103, 10, 7, 1).get(0)));
    assertNotEquals(
        Arrays.toString(batches.get(0)), Arrays.toString(Batches.shuffled(103, 10, 8, 0).get(0)));
    int[] all = Batches.inOrder(103, 10).stream().flatMapToInt(Arrays::stream).toArray();
    assertArrayEquals(IntStream.range(0, 103).toArray(), all);
    assertArrayEquals(new int[] {0, 1, 2, 0, 1}, Batches.first(3, 5));
  }
}
