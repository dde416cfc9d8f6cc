package tapedeck.bench.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The running process of one peer. Requests are lines on its input, answers are lines on its output
 * that start with {@code @peer}; what else it prints is passed over. A peer that fails is an {@link
 * Failure} with one line of reason, and the process is ended.
 */
public final class PeerProcess implements AutoCloseable {
  private static final String MARK = "@peer ";
  private static final long PATIENCE_SECONDS = 180;

  /** Why a peer, or one of its functions, cannot run. */
  public static final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    Failure(String reason) {
      super(reason);
    }
  }

  private final String name;
  private final Process process;
  private final Writer requests;
  private final BlockingQueue<Optional<String>> answers = new LinkedBlockingQueue<>();
  private volatile String lastError = "";
  private final String version;

  private PeerProcess(String name, List<String> command, Map<String, String> environment)
      throws Failure {
    this.name = name;
    ProcessBuilder b = new ProcessBuilder(command);
    b.environment().putAll(environment);
    try {
      this.process = b.start();
    } catch (IOException e) {
      throw new Failure("it does not start: " + e.getMessage());
    }
    this.requests = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.US_ASCII);
    Thread.ofPlatform().daemon().start(this::readAnswers);
    Thread.ofPlatform().daemon().start(this::readErrors);
    boolean ready = false;
    try {
      this.version = expect("ready");
      ready = true;
    } finally {
      if (!ready) {
        process.destroyForcibly();
      }
    }
  }

  /**
   * Starts a peer and waits until it is ready.
   *
   * @throws Failure if it does not come up
   */
  public static PeerProcess start(
      String name, List<String> command, Map<String, String> environment) throws Failure {
    return new PeerProcess(name, command, environment);
  }

  private void readAnswers() {
    try (BufferedReader in = process.inputReader(StandardCharsets.UTF_8)) {
      for (String l = in.readLine(); l != null; l = in.readLine()) {
        if (l.startsWith(MARK)) {
          answers.add(Optional.of(l.substring(MARK.length())));
        }
      }
    } catch (IOException e) {
      remember(e.toString());
    }
    answers.add(Optional.empty());
  }

  private void readErrors() {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
      for (String l = in.readLine(); l != null; l = in.readLine()) {
        if (!l.isBlank()) {
          remember(l.strip());
        }
      }
    } catch (IOException e) {
      remember(e.toString());
    }
  }

  private void remember(String line) {
    lastError = line;
  }

  /** The rest of the answer that starts with a word. */
  private String expect(String word) throws Failure {
    Optional<String> answer;
    try {
      answer = answers.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Failure("interrupted");
    }
    if (answer == null) {
      process.destroyForcibly();
      throw new Failure("no answer in " + PATIENCE_SECONDS + " seconds; ended");
    }
    if (answer.isEmpty()) {
      answers.add(answer);
      throw new Failure(ended());
    }
    String line = answer.get();
    if (line.startsWith("no ")) {
      throw new Failure(line.substring(3));
    }
    if (!line.equals(word) && !line.startsWith(word + " ")) {
      throw new Failure("answered '" + line + "' instead of '" + word + "'");
    }
    return line.substring(word.length()).strip();
  }

  private String ended() {
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        return "it closed its output";
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    String error = lastError;
    return "the process ended with code "
        + process.exitValue()
        + (error.isEmpty() ? "" : ": " + error);
  }

  private String ask(String request, String word) throws Failure {
    try {
      requests.write(request + "\n");
      requests.flush();
    } catch (IOException e) {
      throw new Failure(ended());
    }
    return expect(word);
  }

  public String name() {
    return name;
  }

  /** Name and version of the library, as it tells them. */
  public String version() {
    return version;
  }

  /** Loads the operands of a function. */
  public void prepare(String work) throws Failure {
    ask("prepare " + work, "ok");
  }

  /** Seconds for one of {@code n} repetitions. */
  public double run(String work, int n) throws Failure {
    String s = ask("run " + work + " " + n, "seconds");
    try {
      return Double.parseDouble(s);
    } catch (NumberFormatException e) {
      throw new Failure("answered with the time '" + s + "'");
    }
  }

  /** Bytes by which one run raises the memory of the process. */
  public long memory(String work) throws Failure {
    String s = ask("memory " + work, "bytes");
    try {
      return Long.parseLong(s);
    } catch (NumberFormatException e) {
      throw new Failure("answered with the size '" + s + "'");
    }
  }

  /** The numbers that the function computes. */
  public double[] result(String work) throws Failure {
    try {
      Path file = Files.createTempFile("tapedeck-peer", ".f64");
      try {
        ask("result " + work + " " + file, "ok");
        ByteBuffer b = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        double[] values = new double[b.remaining() / Double.BYTES];
        b.asDoubleBuffer().get(values);
        return values;
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends the process. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroyForcibly();
    }
  }
}
