package tapedeck.bench.model;

import java.util.Arrays;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.JitFn1;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/**
 * What it costs the host to submit one kernel of a compiled schedule: a chain of kernels that have
 * almost nothing to do is replayed, and the time until the call returns is divided by their number.
 * A backend that computes in the calling thread has the tiny kernels' own time in it.
 */
public final class ReplayOverhead {
  private static final int LINKS = 64;
  private static final int WIDTH = 4;
  // Long enough for the JIT to compile replay and kernels.
  private static final long WARM_UP_NANOS = 1_000_000_000L;
  private static final int REPLAYS = 300;

  /**
   * The outcome.
   *
   * @param kernels that one replay launches
   * @param seconds per kernel: the median over the replays
   */
  public record Result(int kernels, double seconds) {}

  private ReplayOverhead() {}

  /** Powers of a small matrix: products do not fuse with each other, so every link is a kernel. */
  public static Tensor chain(Tensor x) {
    Tensor y = x;
    for (int i = 0; i < LINKS; i++) {
      y = y.matmul(x);
    }
    return y;
  }

  /** Measures a device. */
  public static Result measure(String deviceName) {
    Device device = Devices.open(deviceName);
    return Ad.onDevice(
        deviceName,
        () -> {
          JitFn1<Tensor, Tensor> f = Ad.jit((Fn1<Tensor, Tensor>) ReplayOverhead::chain);
          try (Tensor x = Tensor.eye(DType.FLOAT32, WIDTH).mul(0.5)) {
            long warm = System.nanoTime() + WARM_UP_NANOS;
            while (System.nanoTime() < warm) {
              replay(f, x, device);
            }
            double[] seconds = new double[REPLAYS];
            for (int i = 0; i < REPLAYS; i++) {
              seconds[i] = replay(f, x, device);
            }
            Arrays.sort(seconds);
            return new Result(f.kernels(), seconds[REPLAYS / 2] / f.kernels());
          }
        });
  }

  /** Seconds until the call returns. */
  private static double replay(JitFn1<Tensor, Tensor> f, Tensor x, Device device) {
    long start = System.nanoTime();
    Tensor y = f.apply(x);
    double seconds = (System.nanoTime() - start) * 1e-9;
    device.synchronize();
    y.close();
    return seconds;
  }
}
