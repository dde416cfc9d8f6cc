package tapedeck.tornado;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.type.DeviceException;
import tapedeck.tornado.render.Target;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoDeviceMap;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/**
 * Finds the devices of all of TornadoVM's drivers. They are numbered {@code tornado:0}, {@code
 * tornado:1}, … in TornadoVM's order.
 */
public final class TornadoProvider implements BackendProvider {
  /** Set by the flags of the SDK, without which there is nothing but the API. */
  private static final String RUNTIME = "tornado.load.runtime.implementation";

  /** For {@link java.util.ServiceLoader}. */
  public TornadoProvider() {}

  @Override
  public String name() {
    return "tornado";
  }

  @Override
  public Discovery discover() {
    if (System.getProperty(RUNTIME) == null) {
      return rejected(
          "not started with the flags of the TornadoVM SDK; use ./tapedeck with --tornado and"
              + " TORNADOVM_HOME set");
    }
    configure();
    boolean extended = Extensions.install();
    List<Candidate> found = new ArrayList<>();
    try {
      for (TornadoBackend b : new TornadoDeviceMap().getAllBackends()) {
        for (TornadoDevice d : b.getAllDevices()) {
          found.add(new Found(Description.of(d, "tornado:" + found.size(), extended)));
        }
      }
    } catch (LinkageError | RuntimeException e) {
      Throwable root = e;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      return rejected("TornadoVM did not start: " + root);
    }
    return found.isEmpty()
        ? rejected("TornadoVM has no device: none of its drivers found one")
        : new Discovery(List.copyOf(found), List.of());
  }

  private static Discovery rejected(String why) {
    return new Discovery(List.of(), List.of("tornado: " + why));
  }

  /**
   * TornadoVM reads these once, when it starts. Arithmetic must be IEEE 754's, which its flags for
   * OpenCL give up; its fall-back to sequential Java must be an error.
   */
  private static void configure() {
    System.setProperty("tornado.recover.bailout", "False");
    System.setProperty("tornado.enable.fastMathOptimizations", "False");
    System.setProperty("tornado.enable.mathOptimizations", "False");
    System.setProperty("tornado.enable.nativeFunctions", "False");
    // Its pass for fused multiply-adds leaves dead nodes behind.
    System.setProperty("tornado.enable.fma", "False");
    System.setProperty("tornado.tvm.maxbytecodesize", "262144");
    System.setProperty("tornado.experimental.reduce", "False");
    System.setProperty("tornado.check.parameters", "False");
    // Launches rely on their order in the queue.
    System.setProperty("tornado.ooo-execution.enable", "False");
    // Every run fills a list of this size for each task; a graph has at most 1024 nodes.
    System.setProperty("tornado.max.events", "1024");
    unlessSet("tornado.opencl.compiler.flags", "-w");
    // A queue with time stamps costs every launch some microseconds.
    unlessSet("tornado.opencl.profiling.enable", System.getProperty("tornado.profiler", "False"));
  }

  private static void unlessSet(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /** A device that was found. */
  record Found(Description description) implements Candidate {
    @Override
    public String name() {
      return description.name();
    }

    @Override
    public DeviceInfo info() {
      return description.info();
    }

    @Override
    public Device open() {
      return open(t -> t);
    }

    /** Opens it with kernels for another target. */
    Device open(UnaryOperator<Target> target) {
      try {
        return new TapedeckDevice(description.with(target.apply(description.target())));
      } catch (LinkageError e) {
        throw new DeviceException("[tornado] " + name() + " does not open", e);
      }
    }
  }
}
