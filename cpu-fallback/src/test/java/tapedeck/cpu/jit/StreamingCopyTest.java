package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Copies around the caches. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class StreamingCopyTest {
  private static final int ROOM = 1024;

  @Test
  void copiesAnyNumberOfBytesFromAnyPlaceAndNoOthers() {
    assertTrue(StreamingCopy.exists());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment src = arena.allocate(ROOM, StreamingCopy.LINE);
      MemorySegment dst = arena.allocate(ROOM, StreamingCopy.LINE);
      byte[] data = new byte[ROOM];
      new Random(1).nextBytes(data);
      src.copyFrom(MemorySegment.ofArray(data));
      for (int offset : new int[] {0, 1, 4, 20, 60, 63}) {
        for (int bytes = 0; bytes <= 4 * StreamingCopy.LINE + 5; bytes++) {
          dst.fill((byte) 7);
          StreamingCopy.copy(src.address() + offset, dst.address() + 128 + offset, bytes);
          byte[] expected = new byte[ROOM];
          Arrays.fill(expected, (byte) 7);
          System.arraycopy(data, offset, expected, 128 + offset, bytes);
          assertArrayEquals(
              expected, dst.toArray(ValueLayout.JAVA_BYTE), bytes + " bytes at " + offset);
        }
      }
    }
  }
}
