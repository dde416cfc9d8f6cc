package tapedeck.cpu.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Known answers of the authors' Random123 distribution for philox4x32-10. */
class PhiloxTest {
  @Test
  void knownAnswers() {
    assertArrayEquals(
        new long[] {0x6627e8d5L, 0xe169c58dL, 0xbc57ac4cL, 0x9b00dbd8L},
        Philox.block(new long[] {0, 0}, new long[] {0, 0, 0, 0}));
    long ones = 0xffffffffL;
    assertArrayEquals(
        new long[] {0x408f276dL, 0x41c83b0eL, 0xa20bc7c6L, 0x6d5451fdL},
        Philox.block(new long[] {ones, ones}, new long[] {ones, ones, ones, ones}));
    assertArrayEquals(
        new long[] {0xd16cfe09L, 0x94fdccebL, 0x5001e420L, 0x24126ea1L},
        Philox.block(
            new long[] {0xa4093822L, 0x299f31d0L},
            new long[] {0x243f6a88L, 0x85a308d3L, 0x13198a2eL, 0x03707344L}));
  }

  @Test
  void wordsAreTakenFromBlocksInOrder() {
    double[] words = Philox.words(new double[] {0, 0}, 3, 1);
    assertEquals((int) 0xe169c58dL, words[0]);
    assertEquals((int) Philox.block(new long[] {0, 0}, new long[] {2, 0, 0, 0})[1], words[2]);
  }
}
