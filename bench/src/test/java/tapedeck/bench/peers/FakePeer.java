package tapedeck.bench.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A peer's process that behaves as its argument says. */
public final class FakePeer {
  private FakePeer() {}

  public static void main(String[] args) throws IOException {
    System.out.println("a library greets its users");
    if (args[0].equals("refuses")) {
      System.out.println("@peer no the library is missing");
      return;
    }
    System.out.println("@peer ready fake 1.0");
    double unit = Double.parseDouble(System.getenv("FAKE_VALUE"));
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String l = in.readLine(); l != null; l = in.readLine()) {
      if (args[0].equals("dies")) {
        System.err.println("out of luck");
        System.err.flush();
        System.exit(7);
      }
      System.out.println(
          "@peer " + (args[0].equals("nonsense") ? "seconds soon" : answer(l, unit)));
    }
  }

  private static String answer(String line, double unit) throws IOException {
    String[] w = line.split(" ");
    return switch (w[0]) {
      case "prepare" -> w[1].startsWith("unknown") ? "no it has no such function" : "ok";
      case "run" -> "seconds " + unit * Integer.parseInt(w[2]);
      case "memory" -> "bytes 4096";
      case "result" -> {
        ByteBuffer b = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        b.putDouble(1).putDouble(-2.5);
        Files.write(Path.of(w[2]), b.array());
        yield "ok";
      }
      default -> "no such request";
    };
  }
}
