package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/** A process without the Vector API: no class of it may be needed. */
class WithoutVectorsTest {
  private static final List<Fn1<Tensor, Tensor>> FUNCTIONS =
      List.of(
          x -> x.add(x.slice(0, 0, 1)).tanh().sum(),
          x -> x.matmul(x.t().matmul(x)).sin().sum(),
          x -> Ad.grad((Fn1<Tensor, Tensor>) t -> t.softmax(1).square().sum()).apply(x).abs().sum(),
          x -> x.expandDims(2).mul(x.expandDims(1)).max(1, 2).sum());

  /** Prints the value of each function. */
  static final class Program {
    private Program() {}

    public static void main(String[] args) {
      for (Fn1<Tensor, Tensor> f : FUNCTIONS) {
        System.out.println(value(f));
      }
    }
  }

  private static double value(Fn1<Tensor, Tensor> f) {
    return Ad.onDevice(
        "cpu",
        () -> {
          try (Tensor x = Tensor.arange(DType.FLOAT64, 4800).mul(0.37).sin().reshape(600, 8);
              Tensor y = Ad.jit(f).apply(x)) {
            return y.item();
          }
        });
  }

  @Test
  void everyKindOfKernelRuns() throws Exception {
    Process p =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Program.class.getName())
            .redirectErrorStream(true)
            .start();
    String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(p.waitFor(60, TimeUnit.SECONDS), out);
    assertEquals(0, p.exitValue(), out);
    assertTrue(out.contains("slower without --add-modules jdk.incubator.vector"), out);
    List<String> lines = out.lines().filter(l -> l.matches("-?[0-9].*")).toList();
    assertEquals(FUNCTIONS.size(), lines.size(), out);
    for (int i = 0; i < lines.size(); i++) {
      double expected = value(FUNCTIONS.get(i));
      assertEquals(expected, Double.parseDouble(lines.get(i)), 1e-9 * Math.abs(expected), out);
    }
  }
}
