package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.Device;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.type.Settings;
import tapedeck.cpu.interp.InterpProvider;

/** Random kernels against the interpreter, and against themselves on another number of threads. */
class RandomKernelTest {
  private static final int KERNELS = 300;

  @Test
  void agreesWithTheInterpreter() {
    Set<KernelGen.Mode> seen = EnumSet.noneOf(KernelGen.Mode.class);
    try (Device cpu = new CpuDevice();
        Device interp = new InterpProvider().discover().devices().get(0).open()) {
      for (long seed = 0; seed < KERNELS; seed++) {
        Kernel k = RandomKernels.make(seed);
        seen.add(new KernelShape(k).mode(4));
        List<byte[]> data = Runs.data(k, seed);
        List<byte[]> expected = Runs.run(interp, k, data);
        List<byte[]> actual = Runs.run(cpu, k, data);
        Runs.compare("seed " + seed, k, expected, actual);
      }
    }
    assertEquals(EnumSet.allOf(KernelGen.Mode.class), seen, "forms of kernels that were tested");
  }

  @Test
  void withoutVectorsItAgreesToo() {
    try (Device interp = new InterpProvider().discover().devices().get(0).open();
        CpuDevice scalar = new CpuDevice(new KernelCache(false))) {
      for (long seed = 0; seed < KERNELS; seed += 5) {
        Kernel k = RandomKernels.make(seed);
        List<byte[]> data = Runs.data(k, seed);
        List<byte[]> expected = Runs.run(interp, k, data);
        List<byte[]> actual = Runs.run(scalar, k, data);
        Runs.compare("seed " + seed, k, expected, actual);
      }
    }
  }

  @Test
  void threadsDoNotChangeBits() {
    try (Device one = withThreads("1", CpuDevice::new);
        Device three = withThreads("3", CpuDevice::new)) {
      for (long seed = 0; seed < KERNELS; seed += 3) {
        Kernel k = RandomKernels.make(seed);
        List<byte[]> data = Runs.data(k, seed);
        List<byte[]> a = Runs.run(one, k, data);
        List<byte[]> b = Runs.run(three, k, data);
        for (int p = 0; p < data.size(); p++) {
          assertArrayEquals(a.get(p), b.get(p), "seed " + seed + " parameter " + p);
        }
      }
    }
  }

  private static Device withThreads(String threads, Supplier<Device> open) {
    String before = System.getProperty(Settings.THREADS.key());
    System.setProperty(Settings.THREADS.key(), threads);
    try {
      return open.get();
    } finally {
      if (before == null) {
        System.clearProperty(Settings.THREADS.key());
      } else {
        System.setProperty(Settings.THREADS.key(), before);
      }
    }
  }
}
