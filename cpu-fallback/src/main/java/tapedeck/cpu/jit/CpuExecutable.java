package tapedeck.cpu.jit;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DeviceException;

/** A compiled schedule: kernels, an arena, and for each launch the addresses of its parameters. */
final class CpuExecutable implements Executable {
  /**
   * A kernel with its arguments.
   *
   * @param slots where addresses come from at each run
   * @param results which arguments are results that no later kernel reads
   */
  private record Launch(CpuKernel kernel, int[] slots, long[] addresses, boolean[] results) {}

  private final CpuDevice device;
  private final Schedule schedule;
  private final List<Launch> launches = new ArrayList<>();
  private final long[] slotAddress;
  private final CpuBuffer arena;
  private boolean closed;

  CpuExecutable(CpuDevice device, Schedule schedule) {
    this.device = device;
    this.schedule = schedule;
    this.slotAddress = new long[schedule.slots().size()];
    Set<Integer> later = new HashSet<>();
    for (Schedule.Launch l : schedule.launches().reversed()) {
      int[] slots = l.slots().stream().mapToInt(Integer::intValue).toArray();
      boolean[] results = new boolean[slots.length];
      for (int i = 0; i < slots.length; i++) {
        boolean isOutput = schedule.slots().get(slots[i]).place() instanceof Schedule.Place.Output;
        results[i] = isOutput && !later.contains(slots[i]);
      }
      later.addAll(l.slots());
      launches.addFirst(
          new Launch(
              device.kernels().get(l.kernel(), l.label()), slots, new long[slots.length], results));
    }
    this.arena = schedule.arenaBytes() == 0 ? null : device.allocate(schedule.arenaBytes());
  }

  @Override
  public void run(List<Buffer> inputs, List<Buffer> outputs) {
    synchronized (device) {
      if (closed) {
        throw new ClosedException("[cpu] executable was used after it was closed");
      }
      for (int i = 0; i < slotAddress.length; i++) {
        Schedule.Slot s = schedule.slots().get(i);
        slotAddress[i] =
            switch (s.place()) {
              case Schedule.Place.Input p -> address(inputs.get(p.position()), s);
              case Schedule.Place.Output p -> address(outputs.get(p.position()), s);
              case Schedule.Place.Arena p -> arena.address() + p.offset();
            };
      }
      for (Launch l : launches) {
        for (int i = 0; i < l.slots.length; i++) {
          l.addresses[i] = slotAddress[l.slots[i]];
        }
        l.kernel.run(device.pool(), l.addresses, l.results);
      }
    }
  }

  private long address(Buffer buffer, Schedule.Slot slot) {
    CpuBuffer b = device.own(buffer);
    if (b.bytes() < slot.bytes()) {
      throw new DeviceException(
          "[cpu] buffer of " + b.bytes() + " bytes where " + slot.bytes() + " are needed");
    }
    return b.address();
  }

  @Override
  public void close() {
    synchronized (device) {
      if (!closed) {
        closed = true;
        if (arena != null) {
          arena.close();
        }
      }
    }
  }
}
