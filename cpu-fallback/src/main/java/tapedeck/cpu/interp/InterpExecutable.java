package tapedeck.cpu.interp;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.schedule.Schedule.Launch;
import tapedeck.ad.schedule.Schedule.Place;
import tapedeck.ad.schedule.Schedule.Slot;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DeviceException;

/** A schedule whose kernels are translated to closures. */
final class InterpExecutable implements Executable {
  private final InterpDevice device;
  private final Schedule schedule;
  private final List<CompiledKernel> kernels = new ArrayList<>();
  private final Buffer arena;
  private boolean closed;

  InterpExecutable(InterpDevice device, Schedule schedule) {
    this.device = device;
    this.schedule = schedule;
    Map<Kernel, CompiledKernel> known = new HashMap<>();
    for (Launch launch : schedule.launches()) {
      checkLaunch(launch);
      kernels.add(
          known.computeIfAbsent(
              launch.kernel(),
              k -> {
                KernelChecker.check(k, launch.label());
                return new KernelCompiler(k).compile();
              }));
    }
    for (Slot slot : schedule.slots()) {
      if (slot.place() instanceof Place.Arena a
          && (a.offset() % Schedule.ALIGN != 0
              || a.offset() + slot.bytes() > schedule.arenaBytes())) {
        throw new DeviceException(
            "[interp] slot "
                + slot
                + " is misplaced in an arena of "
                + schedule.arenaBytes()
                + " bytes");
      }
    }
    arena = schedule.arenaBytes() == 0 ? null : device.allocate(schedule.arenaBytes());
  }

  private void checkLaunch(Launch launch) {
    List<Kernel.Param> params = launch.kernel().params();
    if (params.size() != launch.slots().size()) {
      throw new DeviceException(
          "[interp] kernel "
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
            "[interp] kernel "
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
  public void run(List<Buffer> inputs, List<Buffer> outputs) {
    synchronized (device) {
      if (closed) {
        throw new ClosedException("[interp] executable was used after it was closed");
      }
      device.requireOpen();
      checkCount("inputs", inputs, schedule.inputs());
      checkCount("outputs", outputs, schedule.outputs());
      if (arena != null) {
        // A value that is left over from the last run must not hide a missing store.
        device.own(arena).memory().fill((byte) 0xff);
      }
      List<Region> regions = new ArrayList<>();
      for (Slot slot : schedule.slots()) {
        regions.add(
            switch (slot.place()) {
              case Place.Input p -> region(inputs.get(p.position()), 0, slot);
              case Place.Output p -> region(outputs.get(p.position()), 0, slot);
              case Place.Arena p -> region(arena, p.offset(), slot);
            });
      }
      for (int i = 0; i < kernels.size(); i++) {
        Launch launch = schedule.launches().get(i);
        kernels.get(i).run(launch, launch.slots().stream().map(regions::get).toList());
      }
    }
  }

  private static void checkCount(String what, List<Buffer> buffers, List<Integer> slots) {
    if (buffers.size() != slots.size()) {
      throw new DeviceException(
          "[interp] schedule has "
              + slots.size()
              + " "
              + what
              + " but "
              + buffers.size()
              + " were given");
    }
  }

  private Region region(Buffer buffer, long offset, Slot slot) {
    InterpBuffer b = device.own(buffer);
    if (offset + slot.bytes() > b.bytes()) {
      throw new DeviceException(
          "[interp] buffer of " + b.bytes() + " bytes is too small for slot " + slot);
    }
    return new Region(b, offset, b.memory().asSlice(offset, slot.bytes()));
  }

  /** Memory of one slot: a part of a buffer. */
  record Region(InterpBuffer buffer, long offset, MemorySegment memory) {
    boolean overlaps(Region o) {
      return buffer == o.buffer
          && offset < o.offset + o.memory.byteSize()
          && o.offset < offset + memory.byteSize();
    }
  }

  @Override
  public void close() {
    synchronized (device) {
      closed = true;
      if (arena != null) {
        arena.close();
      }
    }
  }
}
