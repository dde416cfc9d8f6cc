package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;

/** Transfers through page-locked memory arrive whole, in order and once. */
class StagingTest {
  private static final String SWITCH = "tapedeck.opencl.staging";

  private static Device open() {
    String before = System.setProperty(SWITCH, "on");
    try {
      return TestDevices.open("cpu");
    } finally {
      TestDevices.restore(SWITCH, before);
    }
  }

  private static byte[] bytes(long seed, long n) {
    byte[] b = new byte[Math.toIntExact(n)];
    new SplittableRandom(seed).nextBytes(b);
    return b;
  }

  private static void same(byte[] expected, MemorySegment actual) {
    assertEquals(-1, MemorySegment.ofArray(expected).mismatch(actual));
  }

  static LongStream sizes() {
    long piece = Staging.PIECE;
    return LongStream.of(0, 1, piece - 1, piece, piece + 1, 3 * piece, 3 * piece + 5);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void roundTrips(long n) {
    byte[] data = bytes(n, n);
    try (Device d = open();
        Arena arena = Arena.ofConfined();
        Buffer b = d.allocate(n + 3)) {
      d.write(b, MemorySegment.ofArray(data));
      MemorySegment heap = MemorySegment.ofArray(new byte[data.length]);
      d.read(b, heap);
      same(data, heap);
      MemorySegment host = arena.allocate(Math.max(1, n)).asSlice(0, n);
      d.read(b, host);
      same(data, host);
      d.write(b, host);
      d.read(b, heap);
      same(data, heap);
    }
  }

  /** An upload has taken its data when it returns, whatever still runs. */
  @Test
  void hostMemoryIsFreeAfterAnUpload() {
    try (Device d = open()) {
      List<Buffer> buffers = new ArrayList<>();
      MemorySegment host = MemorySegment.ofArray(new byte[3 << 20]);
      for (int i = 0; i < 8; i++) {
        buffers.add(d.allocate(host.byteSize()));
        host.fill((byte) i);
        d.write(buffers.get(i), host);
      }
      MemorySegment back = MemorySegment.ofArray(new byte[3 << 20]);
      for (int i = 0; i < 8; i++) {
        d.read(buffers.get(i), back);
        host.fill((byte) i);
        assertEquals(-1, host.mismatch(back), "upload " + i);
      }
      buffers.forEach(Buffer::close);
      assertEquals(0, d.memory().liveBuffers());
    }
  }
}
