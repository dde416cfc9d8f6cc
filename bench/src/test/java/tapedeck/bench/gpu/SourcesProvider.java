package tapedeck.bench.gpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;

/**
 * Device {@code sources}: it keeps the schedules that are compiled for it and runs nothing, so that
 * programs of any size tell which kernels they need. Everything that is read from it is zero.
 */
public final class SourcesProvider implements BackendProvider {
  private static final Map<String, List<Schedule>> SCHEDULES = new LinkedHashMap<>();
  private static String user = "";

  /** Schedules that are compiled from now on are filed under a name. */
  static void user(String name) {
    user = name;
  }

  /** All schedules so far, by the name under which they are filed. */
  static Map<String, List<Schedule>> schedules() {
    return SCHEDULES;
  }

  @Override
  public String name() {
    return "sources";
  }

  @Override
  public Discovery discover() {
    return new Discovery(List.of(new Sources()), List.of());
  }

  private record Sources() implements Candidate {
    @Override
    public String name() {
      return "sources";
    }

    @Override
    public DeviceInfo info() {
      return new DeviceInfo("interpreter", "for tests: runs nothing", 1, 0, -1, Map.of());
    }

    @Override
    public Device open() {
      return new SourcesDevice(info());
    }
  }

  private record Nothing(long bytes) implements Buffer {
    @Override
    public void close() {}
  }

  private static final class NothingToRun implements Executable {
    @Override
    public void run(List<Buffer> inputs, List<Buffer> outputs) {}

    @Override
    public void close() {}
  }

  private record SourcesDevice(DeviceInfo info) implements Device {
    @Override
    public String name() {
      return "sources";
    }

    @Override
    public boolean supports(DType dtype) {
      return true;
    }

    @Override
    public Buffer allocate(long bytes) {
      return new Nothing(bytes);
    }

    @Override
    public void write(Buffer dst, MemorySegment src) {}

    @Override
    public void read(Buffer src, MemorySegment dst) {
      dst.fill((byte) 0);
    }

    @Override
    public Executable compile(Schedule schedule) {
      SCHEDULES.computeIfAbsent(user, _ -> new ArrayList<>()).add(schedule);
      return new NothingToRun();
    }

    @Override
    public void synchronize() {}

    @Override
    public MemoryStats memory() {
      return new MemoryStats(0, 0, 0, 0);
    }

    @Override
    public void close() {}
  }
}
