package tapedeck.bench.peers;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The libraries that the Maven profile {@code peers} brings and those that a Python on the host may
 * have, and how their processes are started.
 */
public enum Peers {
  LIBTORCH("libtorch", "libtorch", "libtorch", true),
  /** Where other work uses the cores, waiting BLAS threads cost more than they gain. */
  LIBTORCH_BLAS1("libtorch-blas1", "libtorch", "libtorch", false),
  TENSORFLOW("tensorflow", "tensorflow", "tensorflow", true),
  OPENBLAS("openblas", "openblas", "libtorch", true),
  CLBLAST("clblast", "clblast", "clblast", true),
  TORCH_EAGER("torch-eager", "torch_bench.py", "--mode=eager"),
  TORCH_COMPILE("torch-compile", "torch_bench.py", "--mode=compile"),
  JAX("jax", "jax_bench.py");

  private static final String MAIN = "tapedeck.peers.Worker";

  private final String label;
  private final String worker;
  private final String folder;
  private final boolean blasThreads;
  private final List<String> program;

  /**
   * @param worker the peer's name in its process
   * @param folder its jars
   * @param blasThreads whether OpenBLAS has as many threads as the rest, and not one
   */
  Peers(String label, String worker, String folder, boolean blasThreads) {
    this.label = label;
    this.worker = worker;
    this.folder = folder;
    this.blasThreads = blasThreads;
    this.program = List.of();
  }

  /**
   * @param program a Python program and its arguments
   */
  Peers(String label, String... program) {
    this.label = label;
    this.worker = label;
    this.folder = "";
    this.blasThreads = true;
    this.program = List.of(program);
  }

  /** The name by which a user chooses it. */
  public String label() {
    return label;
  }

  /**
   * Starts the peer.
   *
   * @param python what starts Python
   * @param threads of its computation
   * @param data a safetensors file with the operands of all functions
   * @param small keeps its memory small instead of its time, to measure memory
   * @throws PeerProcess.Failure if it does not start, with the reason in one line
   */
  public PeerProcess start(String python, int threads, Path data, boolean small)
      throws PeerProcess.Failure {
    Path folderOfAll = Path.of(System.getProperty("tapedeck.home", "."), "bench", "peers");
    if (!program.isEmpty()) {
      List<String> command = new ArrayList<>();
      command.add(python);
      command.add(folderOfAll.resolve(program.getFirst()).toString());
      command.addAll(program.subList(1, program.size()));
      command.addAll(List.of("--serve", "--threads", Integer.toString(threads)));
      command.addAll(List.of("--data", data.toAbsolutePath().toString()));
      return PeerProcess.start(label, command, environment(threads, small));
    }
    Path target = folderOfAll.resolve("target");
    Path jar = target.resolve("tapedeck-peers.jar");
    Path libraries = target.resolve(folder);
    if (!Files.isRegularFile(jar) || !Files.isDirectory(libraries)) {
      throw new PeerProcess.Failure(
          "not built; ./tapedeck bench --peers in a source tree builds it");
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx3g"));
    if (small) {
      // The heap is resident from the start, so that only the library's memory grows.
      command.addAll(List.of("-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"));
    }
    command.addAll(List.of("-cp", jar + File.pathSeparator + libraries.resolve("*"), MAIN));
    command.addAll(List.of(worker, Integer.toString(threads), data.toAbsolutePath().toString()));
    return PeerProcess.start(label, command, environment(threads, small));
  }

  private Map<String, String> environment(int threads, boolean small) {
    Map<String, String> e = new LinkedHashMap<>();
    String n = Integer.toString(threads);
    e.put("OMP_NUM_THREADS", n);
    e.put("OPENBLAS_NUM_THREADS", blasThreads ? n : "1");
    // Spinning OpenMP threads take the cores from OpenBLAS's: ten times slower with two threads.
    e.put("OMP_WAIT_POLICY", "passive");
    e.put("TF_CPP_MIN_LOG_LEVEL", "2");
    // JAX would take most of a GPU's memory from the others.
    e.put("XLA_PYTHON_CLIENT_PREALLOCATE", "false");
    if (small) {
      // glibc gives freed memory back at once, so that the high-water mark tells what was in use.
      e.put(
          "GLIBC_TUNABLES",
          "glibc.malloc.mmap_threshold=65536:glibc.malloc.trim_threshold=0"
              + ":glibc.malloc.mmap_max=1000000");
    }
    return e;
  }
}
