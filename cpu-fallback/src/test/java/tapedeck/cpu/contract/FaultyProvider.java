package tapedeck.cpu.contract;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.OutOfDeviceMemoryException;
import tapedeck.cpu.interp.InterpProvider;

/** Device {@code faulty}: the interpreter, with faults that a test asks for. */
public final class FaultyProvider implements BackendProvider {
  /** Allocations that still succeed; negative for no limit. */
  static int allocations = -1;

  /** A kernel whose label contains this stores a wrong first element; empty for none. */
  static String wrong = "";

  /** A kernel whose label contains this does not build; empty for none. */
  static String broken = "";

  /** Schedules that still run; negative for no limit. */
  static int runs = -1;

  /** An element type that the device lacks; null for none. */
  static @Nullable DType lacking;

  static void reset() {
    lacking = null;
    allocations = -1;
    wrong = "";
    broken = "";
    runs = -1;
  }

  @Override
  public String name() {
    return "faulty";
  }

  @Override
  public Discovery discover() {
    return new Discovery(List.of(new Faulty()), List.of("faulty:1: is missing on purpose"));
  }

  private record Faulty() implements Candidate {
    @Override
    public String name() {
      return "faulty";
    }

    @Override
    public DeviceInfo info() {
      return new DeviceInfo("interpreter", "for tests", 1, 0, -1, Map.of());
    }

    @Override
    public Device open() {
      return new FaultyDevice(
          new InterpProvider().discover().devices().getFirst().open(), this.info());
    }
  }

  private record FaultyDevice(Device real, DeviceInfo info) implements Device {
    @Override
    public String name() {
      return "faulty";
    }

    @Override
    public boolean supports(DType dtype) {
      return dtype != lacking && real.supports(dtype);
    }

    private static void spend() {
      if (allocations == 0) {
        throw new OutOfDeviceMemoryException("[faulty] no room, on purpose");
      }
      allocations = Math.max(-1, allocations - 1);
    }

    @Override
    public Buffer allocate(long bytes) {
      spend();
      return real.allocate(bytes);
    }

    @Override
    public void write(Buffer dst, MemorySegment src) {
      real.write(dst, src);
    }

    @Override
    public void read(Buffer src, MemorySegment dst) {
      real.read(src, dst);
    }

    @Override
    public Executable compile(Schedule schedule) {
      if (schedule.launches().stream()
          .flatMap(l -> l.kernel().params().stream())
          .anyMatch(p -> p.dtype() == lacking)) {
        throw new DTypeException("[faulty] has no " + lacking + ", on purpose");
      }
      if (!broken.isEmpty() && has(schedule, broken)) {
        throw new DeviceException("[faulty] kernel " + broken + " does not build: line 1: error");
      }
      if (schedule.arenaBytes() > 0) {
        spend();
      }
      Executable e = real.compile(schedule);
      return new Executable() {
        @Override
        public void run(List<Buffer> inputs, List<Buffer> outputs) {
          if (runs == 0) {
            throw new DeviceException("[faulty] the device was lost, on purpose");
          }
          runs = Math.max(-1, runs - 1);
          e.run(inputs, outputs);
          if (!wrong.isEmpty() && has(schedule, wrong)) {
            real.write(outputs.getFirst(), MemorySegment.ofArray(new float[] {12345}));
          }
        }

        @Override
        public void close() {
          e.close();
        }
      };
    }

    private static boolean has(Schedule s, String label) {
      return s.launches().stream().anyMatch(l -> l.label().contains(label));
    }

    @Override
    public void synchronize() {
      real.synchronize();
    }

    @Override
    public MemoryStats memory() {
      return real.memory();
    }

    @Override
    public void close() {
      real.close();
    }
  }
}
