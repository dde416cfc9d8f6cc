package tapedeck.bench.adbench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.type.DataException;

class AdbenchFilesTest {
  static final Path RESOURCES = Path.of("src/test/resources/adbench");

  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("x.txt"), text);
  }

  @Test
  void readsTheInstances() {
    GmmInstance gmm = GmmInstance.read(RESOURCES.resolve("gmm/test.txt"));
    assertEquals(2, gmm.d());
    assertEquals(3, gmm.k());
    assertEquals(1, gmm.n());
    assertArrayEquals(new double[] {1.175171, 2.029160}, gmm.x());
    assertEquals(-1.270071, gmm.icf()[8]);
    BaInstance ba = BaInstance.read(RESOURCES.resolve("ba/test.txt"));
    assertEquals(0.417022, ba.weight());
    HandModel model = HandModel.read(RESOURCES.resolve("hand/model"));
    assertEquals(22, model.bones());
    assertEquals(544, model.vertices());
    assertEquals(1084, model.triangles().length);
    assertFalse(
        HandInstance.read(RESOURCES.resolve("hand/hand5_t26_c30.txt"), model).isComplicated());
    HandInstance hard = HandInstance.read(RESOURCES.resolve("hand/hand_complicated.txt"), model);
    assertTrue(hard.isComplicated());
    assertArrayEquals(new double[] {0.2, 0.25, 0.4, 0.5}, hard.us());
    assertEquals(0.204648, hard.theta()[25]);
  }

  @Test
  void onePointStandsForAll() throws IOException {
    GmmInstance g = GmmInstance.read(file("1 1 3\n0.5\n0.1\n0.2\n7\n1.0 0\n"));
    assertArrayEquals(new double[] {7, 7, 7}, g.x());
  }

  private static void fails(Runnable read, String message) {
    DataException e = assertThrows(DataException.class, read::run);
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void errorsNameTheLine() throws IOException {
    Path f = file("2 x 1\n");
    fails(() -> GmmInstance.read(f), f + ": line 1: k must be an integer, not 'x'");
    file("2 1 1\n0\n0 0\n0 0 zero\n1 2\n1 0\n");
    fails(() -> GmmInstance.read(f), "line 4: a covariance factor must be a number, not 'zero'");
    file("2 1 1\n0\n0 0\n0 0 NaN\n1 2\n1 0\n");
    fails(() -> GmmInstance.read(f), "line 4: a covariance factor must be finite");
    file("2 1 1\n0\n0 0\n0 0 0\n1\n");
    fails(() -> GmmInstance.read(f), "need 10 more numbers, the file has 7");
    file("2 1 1\n0\n0 0\n0 0 0\n1 2\n1 0\n5");
    fails(() -> GmmInstance.read(f), "line 7: the file goes on");
    file("16384 1048576 1\n0\n");
    fails(() -> GmmInstance.read(f), "the file has 1");
    file("0 1 1\n");
    fails(() -> GmmInstance.read(f), "d must be in 1..16384, not 0");
    file("2 1024 14\n1 2 3");
    fails(() -> LstmInstance.read(f), "the file has 3");
    file("1 1 1\n1 2 3");
    fails(() -> BaInstance.read(f), "line 2: the file ends where a camera parameter should be");
    fails(() -> BaInstance.read(folder.resolve("none")), "no such file or folder");
    fails(() -> HandModel.read(folder), "bones.txt: no such file or folder");
    HandModel model = HandModel.read(RESOURCES.resolve("hand/model"));
    file("1 26\n544 0 0 0\n" + "0 ".repeat(26));
    fails(() -> HandInstance.read(f, model), "line 2: a correspondence must be in 0..543, not 544");
    file("1 25\n");
    fails(() -> HandInstance.read(f, model), "the number of parameters must be in 26..26, not 25");
  }

  @Test
  void numbersAreWrittenAsCWritesThem() throws IOException {
    for (String name : new String[] {"gmm/gmm_d2_K5_J_Manual.txt", "gmm/test_F_Manual.txt"}) {
      Path golden = RESOURCES.resolve(name);
      Path out = folder.resolve("out.txt");
      AdbenchFormat.writeColumn(out, AdbenchFormat.readNumbers(golden));
      assertEquals(Files.readString(golden), Files.readString(out));
    }
    Path golden = RESOURCES.resolve("hand/hand5_t26_c30_J_Manual.txt");
    Path out = folder.resolve("out.txt");
    AdbenchFormat.writeDense(out, AdbenchFormat.readNumbers(golden), HandInstance.THETA);
    assertEquals(Files.readString(golden), Files.readString(out));
    assertEquals("4.94065645841246544e-324", AdbenchFormat.number(Double.MIN_VALUE));
    assertEquals("1.79769313486231571e+308", AdbenchFormat.number(Double.MAX_VALUE));
    assertEquals("-1.00000000000000006e-01", AdbenchFormat.number(-0.1));
    assertEquals("-0.00000000000000000e+00", AdbenchFormat.number(-0.0));
    assertEquals("nan", AdbenchFormat.number(Double.NaN));
    assertEquals("-inf", AdbenchFormat.number(Double.NEGATIVE_INFINITY));
  }
}
