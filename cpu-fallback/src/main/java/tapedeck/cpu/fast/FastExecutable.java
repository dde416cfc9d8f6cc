package tapedeck.cpu.fast;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.schedule.Schedule.Launch;
import tapedeck.ad.schedule.Schedule.Place;
import tapedeck.ad.schedule.Schedule.Slot;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DeviceException;

/**
 * A compiled schedule: its launches with their code, and one allocation for the arena and the
 * memory that launches work in. A replay fills in addresses and allocates nothing.
 */
final class FastExecutable implements Executable {
  private final FastDevice device;
  private final Schedule schedule;
  private final LaunchRunner[] launches;
  private final int[][] launchSlots;
  private final Buffer memory;
  private final long[] slots;

  /** For each slot the position of its input, its output, or -1 where it lies in the arena. */
  private final int[] inputOf;

  private final int[] outputOf;
  private final long scratchOffset;
  private final long workOffset;
  private boolean closed;

  FastExecutable(FastDevice device, Schedule schedule) {
    this.device = device;
    this.schedule = schedule;
    List<LaunchRunner> runners = new ArrayList<>();
    long work = 0;
    for (Launch l : schedule.launches()) {
      check(l);
      LaunchRunner r = LaunchRunner.of(l.kernel());
      work = Math.max(work, r.workBytes());
      runners.add(r);
    }
    launches = runners.toArray(LaunchRunner[]::new);
    launchSlots =
        schedule.launches().stream()
            .map(l -> l.slots().stream().mapToInt(Integer::intValue).toArray())
            .toArray(int[][]::new);
    int n = schedule.slots().size();
    slots = new long[n];
    inputOf = new int[n];
    outputOf = new int[n];
    for (int i = 0; i < n; i++) {
      Place place = schedule.slots().get(i).place();
      inputOf[i] = place instanceof Place.Input p ? p.position() : -1;
      outputOf[i] = place instanceof Place.Output p ? p.position() : -1;
    }
    long align = Schedule.ALIGN;
    scratchOffset = (schedule.arenaBytes() + align - 1) / align * align;
    workOffset = scratchOffset + Plan.scratchBytes() + (work > 0 ? GemmPlan.TILE_BYTES : 0);
    // Nothing to run, nothing to hold.
    memory = launches.length == 0 ? null : device.allocate(workOffset + work);
  }

  private void check(Launch launch) {
    List<Kernel.Param> params = launch.kernel().params();
    if (params.size() != launch.slots().size()) {
      throw new DeviceException(
          "[cpu] kernel "
              + launch.label()
              + " has "
              + params.size()
              + " parameters but "
              + launch.slots().size()
              + " slots");
    }
    for (int i = 0; i < params.size(); i++) {
      Slot slot = schedule.slots().get(launch.slots().get(i));
      if (slot.dtype() != params.get(i).dtype() || slot.elements() < params.get(i).elements()) {
        throw new DeviceException(
            "[cpu] kernel "
                + launch.label()
                + ": parameter "
                + i
                + " "
                + params.get(i)
                + " does not fit slot "
                + slot);
      }
    }
  }

  @Override
  public synchronized void run(List<Buffer> inputs, List<Buffer> outputs) {
    if (closed) {
      throw new ClosedException("[cpu] executable was used after it was closed");
    }
    device.requireOpen();
    checkCount("inputs", inputs, schedule.inputs());
    checkCount("outputs", outputs, schedule.outputs());
    long base = memory == null ? 0 : device.own(memory).address();
    for (int i = 0; i < slots.length; i++) {
      slots[i] =
          inputOf[i] >= 0
              ? address(inputs.get(inputOf[i]), i)
              : outputOf[i] >= 0
                  ? address(outputs.get(outputOf[i]), i)
                  : base + ((Place.Arena) schedule.slots().get(i).place()).offset();
    }
    WorkerPool pool = WorkerPool.of(HostInfo.threads());
    for (int i = 0; i < launches.length; i++) {
      long[] addresses = launches[i].addresses();
      int[] at = launchSlots[i];
      for (int j = 0; j < at.length; j++) {
        addresses[j] = slots[at[j]];
      }
      launches[i].run(pool, base + scratchOffset, base + workOffset);
    }
  }

  private long address(Buffer buffer, int slot) {
    FastBuffer b = device.own(buffer);
    Slot s = schedule.slots().get(slot);
    if (s.bytes() > b.bytes()) {
      throw new DeviceException(
          "[cpu] buffer of " + b.bytes() + " bytes is too small for slot " + s);
    }
    return b.address();
  }

  private static void checkCount(String what, List<Buffer> buffers, List<Integer> slots) {
    if (buffers.size() != slots.size()) {
      throw new DeviceException(
          "[cpu] schedule has "
              + slots.size()
              + " "
              + what
              + " but "
              + buffers.size()
              + " were given");
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (memory != null) {
      memory.close();
    }
  }
}
