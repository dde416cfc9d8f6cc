package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;

/** Runs one kernel on a device; parameters that are written start from the same data as others. */
final class Runs {
  private Runs() {}

  /** Bytes of every parameter after the run. */
  static List<byte[]> run(Device device, Kernel kernel, List<byte[]> before) {
    List<Schedule.Slot> slots = new ArrayList<>();
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < kernel.params().size(); i++) {
      Kernel.Param p = kernel.params().get(i);
      slots.add(new Schedule.Slot(p.dtype(), p.elements(), new Schedule.Place.Input(i)));
      all.add(i);
    }
    Schedule schedule =
        new Schedule(
            slots, List.of(new Schedule.Launch(kernel, "test", "", all)), all, List.of(), 0, 0);
    List<Buffer> buffers = new ArrayList<>();
    List<byte[]> after = new ArrayList<>();
    try (Executable e = device.compile(schedule)) {
      for (byte[] data : before) {
        Buffer b = device.allocate(data.length);
        buffers.add(b);
        device.write(b, MemorySegment.ofArray(data));
      }
      e.run(buffers, List.of());
      for (byte[] data : before) {
        byte[] back = new byte[data.length];
        device.read(buffers.get(after.size()), MemorySegment.ofArray(back));
        after.add(back);
      }
    } finally {
      buffers.forEach(Buffer::close);
    }
    return after;
  }

  /** Bytes of every parameter after a kernel has run by itself, with one thread. */
  static List<byte[]> run(CpuKernel made, Kernel kernel, List<byte[]> before) {
    try (WorkerPool pool = new WorkerPool(1)) {
      return run(before, addresses -> made.run(pool, addresses));
    }
  }

  /** Bytes of every parameter of a kernel after something was done at their addresses. */
  static List<byte[]> run(List<byte[]> before, Consumer<long[]> body) {
    try (Arena arena = Arena.ofConfined()) {
      List<MemorySegment> memory = new ArrayList<>();
      for (byte[] data : before) {
        MemorySegment m = arena.allocate(data.length + NativeMemory.ALIGN, NativeMemory.ALIGN);
        m.asSlice(0, data.length).copyFrom(MemorySegment.ofArray(data));
        memory.add(m.asSlice(0, data.length));
      }
      body.accept(memory.stream().mapToLong(MemorySegment::address).toArray());
      return memory.stream().map(m -> m.toArray(ValueLayout.JAVA_BYTE)).toList();
    }
  }

  /** Contents for a kernel's parameters: floats in [-2, 2), ints in [0, 4), written ones zero. */
  static List<byte[]> data(Kernel kernel, long seed) {
    Random random = new Random(seed);
    List<byte[]> out = new ArrayList<>();
    for (Kernel.Param p : kernel.params()) {
      byte[] bytes = new byte[Math.toIntExact(p.elements() * p.dtype().bytes())];
      MemorySegment m = MemorySegment.ofArray(bytes);
      for (long i = 0; i < p.elements() && !p.written(); i++) {
        switch (p.dtype()) {
          case FLOAT32 ->
              m.set(ValueLayout.JAVA_FLOAT_UNALIGNED, i * 4, random.nextFloat() * 4 - 2);
          case FLOAT64 ->
              m.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, i * 8, random.nextDouble() * 4 - 2);
          case INT32 -> m.set(ValueLayout.JAVA_INT_UNALIGNED, i * 4, random.nextInt(4));
          case BOOL -> m.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt(2));
        }
      }
      out.add(bytes);
    }
    return out;
  }

  /** Sets an element of a parameter of floats. */
  static void put(Kernel.Param p, byte[] bytes, long i, double v) {
    MemorySegment m = MemorySegment.ofArray(bytes);
    if (p.dtype() == DType.FLOAT32) {
      m.set(ValueLayout.JAVA_FLOAT_UNALIGNED, i * 4, (float) v);
    } else {
      m.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, i * 8, v);
    }
  }

  /** Element of a parameter as float64. */
  static double at(Kernel.Param p, byte[] bytes, long i) {
    MemorySegment m = MemorySegment.ofArray(bytes);
    return switch (p.dtype()) {
      case FLOAT32 -> m.get(ValueLayout.JAVA_FLOAT_UNALIGNED, i * 4);
      case FLOAT64 -> m.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, i * 8);
      case INT32 -> m.get(ValueLayout.JAVA_INT_UNALIGNED, i * 4);
      case BOOL -> m.get(ValueLayout.JAVA_BYTE, i);
    };
  }

  /** Fails where contents of parameters differ by more than rounding. */
  static void compare(String what, Kernel kernel, List<byte[]> expected, List<byte[]> actual) {
    for (int p = 0; p < expected.size(); p++) {
      Kernel.Param param = kernel.params().get(p);
      for (long i = 0; i < param.elements(); i++) {
        double x = at(param, expected.get(p), i);
        double y = at(param, actual.get(p), i);
        // float64 values may come from float32 ones, so they are held to the same tolerance.
        double tolerance = param.dtype().isFloat() ? 2e-4 * (1 + Math.abs(x)) : 0;
        String where = what + " parameter " + p + " [" + i + "]: ";
        assertTrue(
            x == y || (Double.isNaN(x) && Double.isNaN(y)) || Math.abs(x - y) <= tolerance,
            () -> where + y + " not " + x);
      }
    }
  }
}
