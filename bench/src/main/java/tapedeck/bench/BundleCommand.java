package tapedeck.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tapedeck.ad.type.DataException;
import tapedeck.ad.type.TapedeckException;
import tapedeck.bench.report.AtomicFile;
import tapedeck.bench.report.TarGz;

/** Makes an archive that runs on a Linux host without Java and without a network. */
@Command(
    name = "bundle",
    description = {
      "Makes a self-contained archive (.tar.gz) for Linux x86-64: Java runtime, jars, launcher, OpenCL loader.",
      "With the launcher's --tornado, also what the TornadoVM backend needs of the SDK in TORNADOVM_HOME."
    },
    mixinStandardHelpOptions = true)
final class BundleCommand implements Callable<Integer> {
  /** What the program and its libraries need of the JDK. */
  private static final String MODULES =
      "java.base,java.logging,java.management,jdk.incubator.vector,jdk.jfr,jdk.unsupported";

  /** What TornadoVM's compiler needs besides; its own jars replace the second one. */
  private static final String TORNADO_MODULES =
      ",jdk.internal.vm.ci,jdk.graal.compiler,jdk.graal.compiler.management"
          + ",java.instrument,java.sql,jdk.management";

  /** Parts of the SDK that its flags refer to. */
  private static final List<String> SDK_PARTS =
      List.of("lib", "etc", "share/java/tornado", "share/java/graalJars");

  /** Stands for the SDK's folder in its file of flags; the launcher puts the folder in. */
  private static final String SDK_FOLDER = "${TORNADOVM_HOME}";

  /** Jars that only development needs. */
  private static final List<String> LEFT_OUT =
      List.of(
          "jmh-", "jopt-simple", "commons-math3", "archunit", "junit", "opentest4j", "apiguardian");

  /** Measures all that is said about a GPU. */
  private static final String GPU_RUN = "gpu-run.sh";

  private static final String LOADER = "libOpenCL.so.1";
  private static final List<Path> LIBRARY_FOLDERS =
      List.of(
          Path.of("/usr/lib/x86_64-linux-gnu"),
          Path.of("/lib/x86_64-linux-gnu"),
          Path.of("/usr/lib64"),
          Path.of("/usr/local/lib"),
          Path.of("/usr/lib"));

  /** Drivers that a host may have without an entry in /etc/OpenCL/vendors. */
  private static final List<String> DRIVERS =
      List.of("libnvidia-opencl.so.1", "libamdocl64.so", "libigdrcl.so");

  @Spec private CommandSpec spec;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "the archive, such as tapedeck.tar.gz")
  private Path archive;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    AtomicFile.check(archive);
    ToolProvider jlink =
        ToolProvider.findFirst("jlink")
            .orElseThrow(
                () ->
                    new TapedeckException(
                        "[bundle] needs a JDK with jlink; this runtime has none"));
    Path launcher = launcher();
    Path stage = Files.createTempDirectory("tapedeck-bundle");
    try {
      Path root = Files.createDirectory(stage.resolve("tapedeck"));
      out.println("runtime");
      out.flush();
      link(jlink, root.resolve("runtime"));
      out.println("jars");
      jars(Files.createDirectory(root.resolve("lib")));
      Files.copy(launcher, root.resolve("tapedeck"));
      String loader = nativeFiles(Files.createDirectory(root.resolve("native")));
      out.println("OpenCL loader: " + loader);
      if (sdk().isPresent()) {
        out.println("TornadoVM SDK: " + sdk().get());
        tornado(sdk().get(), Files.createDirectory(root.resolve("tornado")));
      }
      Path bench = launcher.resolveSibling("bench");
      peers(bench.resolve("peers"), root);
      Files.copy(bench.resolve(GPU_RUN), root.resolve("bench").resolve(GPU_RUN));
      Files.writeString(root.resolve("README.txt"), readme());
      out.println("archive");
      out.flush();
      AtomicFile.write(archive, stream -> TarGz.write(stage, stream));
    } finally {
      delete(stage);
    }
    out.printf("wrote %s, %.1f MiB%n", archive, Files.size(archive) / (double) (1 << 20));
    out.flush();
    return 0;
  }

  /** The SDK's folder where the launcher was started with --tornado. */
  private static Optional<Path> sdk() {
    return Optional.ofNullable(System.getProperty("tapedeck.tornado.home")).map(Path::of);
  }

  /** The parts of the SDK that run, and its flags with its folder left open. */
  private static void tornado(Path sdk, Path folder) throws IOException {
    for (String part : SDK_PARTS) {
      Path from = sdk.resolve(part);
      if (!Files.isDirectory(from)) {
        throw new DataException("[bundle] the TornadoVM SDK has no " + from);
      }
      try (Stream<Path> files = Files.walk(from)) {
        for (Path f : files.filter(Files::isRegularFile).toList()) {
          Path to = folder.resolve(sdk.relativize(f).toString());
          Files.createDirectories(to.getParent());
          Files.copy(f, to);
        }
      }
    }
    Path flags = sdk.resolve("tornado-argfile");
    if (!Files.isRegularFile(flags)) {
      flags = sdk.resolve("tornado-argfile.template");
    }
    Files.writeString(
        folder.resolve("tornado-argfile.template"),
        Files.readString(flags).replace(sdk.toString(), SDK_FOLDER));
  }

  private static Path launcher() {
    String home = System.getProperty("tapedeck.home", "");
    Path launcher = Path.of(home, "tapedeck");
    if (home.isEmpty() || !Files.isRegularFile(launcher)) {
      throw new DataException(
          "[bundle] the launcher is missing: start this command with ./tapedeck bundle");
    }
    return launcher;
  }

  private void link(ToolProvider jlink, Path runtime) {
    java.io.StringWriter messages = new java.io.StringWriter();
    PrintWriter log = new PrintWriter(messages);
    int rc =
        jlink.run(
            log,
            log,
            "--add-modules",
            sdk().isPresent() ? MODULES + TORNADO_MODULES : MODULES,
            "--output",
            runtime.toString(),
            "--no-header-files",
            "--no-man-pages",
            "--strip-java-debug-attributes",
            "--vm",
            "server");
    if (rc != 0) {
      throw new TapedeckException("[bundle] jlink failed: " + messages.toString().strip());
    }
  }

  private static void jars(Path lib) throws IOException {
    for (String entry : System.getProperty("java.class.path").split(java.io.File.pathSeparator)) {
      Path jar = Path.of(entry);
      String name = jar.getFileName().toString();
      boolean wanted =
          LEFT_OUT.stream().noneMatch(name::startsWith) && !name.endsWith("-tests.jar");
      if (!wanted) {
        continue;
      }
      if (!Files.isRegularFile(jar)) {
        throw new DataException(
            "[bundle] not a jar: " + jar + "; start this command with ./tapedeck bundle");
      }
      Files.copy(jar, lib.resolve(name));
    }
  }

  /** The loader where this machine has one, and entries for drivers that a host may have. */
  private static String nativeFiles(Path folder) throws IOException {
    Path vendors = Files.createDirectory(folder.resolve("vendors"));
    for (String driver : DRIVERS) {
      String name = driver.replaceFirst("^lib", "").replaceFirst("\\.so.*", ".icd");
      Files.writeString(vendors.resolve(name), driver + "\n", StandardCharsets.US_ASCII);
    }
    Optional<Path> loader =
        LIBRARY_FOLDERS.stream()
            .map(f -> f.resolve(LOADER))
            .filter(Files::isRegularFile)
            .findFirst();
    if (loader.isEmpty()) {
      return "none on this machine: the host needs its own";
    }
    Files.copy(loader.get(), folder.resolve(LOADER));
    Path licence = Path.of("/usr/share/doc/ocl-icd-libopencl1/copyright");
    if (Files.isReadable(licence)) {
      Files.copy(licence, folder.resolve(LOADER + ".LICENSE.txt"));
    }
    return loader.get().toString();
  }

  /** The programs that measure PyTorch and JAX where the host has Python and them. */
  private static void peers(Path source, Path root) throws IOException {
    Path target = Files.createDirectories(root.resolve("bench").resolve("peers"));
    try (Stream<Path> files = Files.list(source)) {
      for (Path p : files.filter(f -> f.toString().endsWith(".py")).sorted().toList()) {
        Files.copy(p, target.resolve(p.getFileName()));
      }
    }
  }

  private static String readme() {
    return """
        Tapedeck, with all that it needs on Linux x86-64.

          ./tapedeck devices
          ./tapedeck bench --quick
          ./tapedeck selfcheck
          ./tapedeck tune
          ./tapedeck adbench --problem gmm --input FILE --out DIR

        All figures of a GPU, beside PyTorch and JAX where the host has them; to be called again
        until it says that nothing is left:

          bench/gpu-run.sh --out results --seconds 550

        runtime/ is a Java runtime, lib/ holds the jars. native/ holds an OpenCL loader and entries
        for drivers; they are used only where the host has none of its own. "tune" measures kernel
        parameters and keeps them in ~/.cache/tapedeck/tuning.json. tornado/, if it is there, is
        what ./tapedeck --tornado needs of a TornadoVM SDK.
        """;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path p : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
