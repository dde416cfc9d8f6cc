package tapedeck.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * A peer's process. Arguments: peer, threads, data file. Requests come a line each on standard
 * input, and each is answered by one line on standard output that starts with {@code @peer}:
 *
 * <pre>
 * (start)            ready VERSION | no REASON
 * prepare WORK       ok | no REASON
 * run WORK N         seconds S          seconds for one of N repetitions
 * result WORK FILE   ok                 little-endian float64 numbers are in the file
 * memory WORK        bytes N | no REASON
 * quit               (the process ends)
 * </pre>
 */
public final class Worker {
  private static final String MARK = "@peer ";
  private static final int MEMORY_RUNS = 15;

  private final Peer peer;
  private final PrintStream out;
  private final Map<String, Peer.Work> works = new HashMap<>();

  private Worker(Peer peer, PrintStream out) {
    this.peer = peer;
    this.out = out;
  }

  public static void main(String[] args) throws IOException {
    PrintStream out = System.out;
    // What a library prints must not look like an answer.
    System.setOut(System.err);
    Peer peer;
    try {
      TensorFile data = new TensorFile(Path.of(args[2]));
      int threads = Integer.parseInt(args[1]);
      peer =
          switch (args[0]) {
            case "libtorch" -> new Torch(data, threads);
            case "tensorflow" -> new TensorFlow(data, threads);
            case "openblas" -> new OpenBlas(data, threads);
            case "clblast" -> new ClBlast(data);
            default -> throw new IllegalArgumentException("there is no peer " + args[0]);
          };
      out.println(MARK + "ready " + peer.version());
    } catch (RuntimeException | LinkageError | IOException e) {
      out.println(MARK + "no " + reason(e));
      return;
    }
    new Worker(peer, out).serve();
  }

  private void serve() throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ", 3);
      if (words[0].equals("quit")) {
        return;
      }
      String answer;
      try {
        answer = answer(words);
      } catch (RuntimeException | LinkageError | IOException e) {
        answer = "no " + reason(e);
      }
      out.println(MARK + answer);
      out.flush();
    }
  }

  private String answer(String[] words) throws IOException {
    switch (words[0]) {
      case "prepare" -> {
        works.put(words[1], peer.work(words[1]));
        return "ok";
      }
      case "run" -> {
        Peer.Work w = prepared(words[1]);
        int n = Integer.parseInt(words[2]);
        long start = System.nanoTime();
        for (int i = 0; i < n; i++) {
          w.run();
        }
        return "seconds " + (System.nanoTime() - start) * 1e-9 / n;
      }
      case "result" -> {
        double[] r = prepared(words[1]).result();
        ByteBuffer b = ByteBuffer.allocate(r.length * 8).order(ByteOrder.LITTLE_ENDIAN);
        b.asDoubleBuffer().put(r);
        Files.write(Path.of(words[2]), b.array());
        return "ok";
      }
      case "memory" -> {
        return "bytes " + memory(prepared(words[1]));
      }
      default -> throw new IllegalArgumentException("unknown request " + words[0]);
    }
  }

  private Peer.Work prepared(String name) {
    Peer.Work w = works.get(name);
    if (w == null) {
      throw new IllegalArgumentException(name + " has not been prepared");
    }
    return w;
  }

  /** How far one run raises the process above the memory that it holds at rest: a median. */
  private static long memory(Peer.Work w) throws IOException {
    long[] rises = new long[MEMORY_RUNS];
    for (int i = 0; i < rises.length; i++) {
      w.run();
      // Linux: sets the high-water mark back to what is resident now.
      Files.writeString(Path.of("/proc/self/clear_refs"), "5");
      long before = status("VmRSS:");
      w.run();
      rises[i] = status("VmHWM:") - before;
    }
    Arrays.sort(rises);
    return rises[rises.length / 2];
  }

  private static long status(String field) throws IOException {
    for (String l : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (l.startsWith(field)) {
        return 1024 * Long.parseLong(l.substring(field.length()).replace("kB", "").strip());
      }
    }
    throw new IOException("/proc/self/status has no " + field);
  }

  private static String reason(Throwable t) {
    Throwable root = t;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String message = String.valueOf(root.getMessage()).lines().findFirst().orElse("");
    // These say in words what is missing.
    return root instanceof UnsupportedOperationException
        ? message
        : root.getClass().getSimpleName() + ": " + message;
  }
}
