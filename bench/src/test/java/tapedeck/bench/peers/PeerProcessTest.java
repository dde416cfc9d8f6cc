package tapedeck.bench.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tapedeck.bench.peers.PeerProcess.Failure;

/** The protocol with a process that answers well, refuses, talks nonsense and dies. */
class PeerProcessTest {
  private static PeerProcess start(String manner) throws Failure {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return PeerProcess.start(
        "fake",
        List.of(
            java, "-cp", System.getProperty("java.class.path"), FakePeer.class.getName(), manner),
        Map.of("FAKE_VALUE", "0.25"));
  }

  @Test
  void answersAreRead() throws Failure {
    try (PeerProcess p = start("good")) {
      assertEquals("fake 1.0", p.version());
      p.prepare("mlp/step");
      assertEquals(0.5, p.run("mlp/step", 2));
      assertEquals(4096, p.memory("mlp/step"));
      assertArrayEquals(new double[] {1, -2.5}, p.result("mlp/step"));
      Failure e = assertThrows(Failure.class, () -> p.prepare("unknown/line"));
      assertEquals("it has no such function", e.getMessage());
      // A refusal is no reason to give up the process.
      assertEquals(0.75, p.run("mlp/step", 3));
    }
  }

  @Test
  void aPeerThatRefusesToStartSaysWhy() {
    Failure e = assertThrows(Failure.class, () -> start("refuses"));
    assertEquals("the library is missing", e.getMessage());
  }

  @Test
  void aPeerThatDiesIsReportedWithItsLastWords() throws Failure {
    try (PeerProcess p = start("dies")) {
      Failure e = assertThrows(Failure.class, () -> p.run("mlp/step", 1));
      assertTrue(e.getMessage().startsWith("the process ended with code 7"), e.getMessage());
      assertTrue(e.getMessage().contains("out of luck"), e.getMessage());
      assertThrows(Failure.class, () -> p.run("mlp/step", 1));
    }
  }

  @Test
  void nonsenseIsAFailure() throws Failure {
    try (PeerProcess p = start("nonsense")) {
      assertThrows(Failure.class, () -> p.run("mlp/step", 1));
      assertThrows(Failure.class, () -> p.prepare("mlp/step"));
    }
  }

  @Test
  void aProgramThatIsNotThereIsAFailure() {
    assertThrows(
        Failure.class, () -> PeerProcess.start("none", List.of("/no/such/program"), Map.of()));
  }
}
