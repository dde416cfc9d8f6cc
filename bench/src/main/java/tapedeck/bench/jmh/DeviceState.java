package tapedeck.bench.jmh;

import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import tapedeck.ad.Ad;
import tapedeck.ad.RandomKey;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/** The device under test. */
@State(Scope.Benchmark)
public class DeviceState {
  @Param({"cpu"})
  public String device;

  <T> T on(Supplier<T> body) {
    return Ad.onDevice(device, body);
  }

  Device open() {
    return Devices.open(device);
  }

  /** Standard normal float32 values on the device. */
  Tensor normal(int seed, int... dims) {
    return on(() -> RandomKey.of(seed).normal(DType.FLOAT32, dims));
  }

  /** Waits for the device and gives a result's memory back. */
  void finish(Tensor t) {
    open().synchronize();
    t.close();
  }
}
