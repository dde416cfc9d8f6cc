package tapedeck.tornado;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import tapedeck.ad.schedule.Schedule;
import uk.ac.manchester.tornado.api.memory.DeviceBufferState;

/**
 * Device memory of a schedule's intermediates. TornadoVM cannot place arrays inside a larger
 * buffer, so instead of the planned arena there are several buffers, each shared by slots that are
 * not live at the same time.
 */
final class SlotMemory implements AutoCloseable {
  private final Memory memory;
  private final List<XpuState> states = new ArrayList<>();
  private final List<Long> sizes = new ArrayList<>();
  private final XpuState[] bySlot;

  private SlotMemory(Memory memory, int slots) {
    this.memory = memory;
    this.bySlot = new XpuState[slots];
  }

  static SlotMemory allocate(Memory memory, Schedule schedule) {
    SlotMemory out = new SlotMemory(memory, schedule.slots().size());
    int[] last = new int[schedule.slots().size()];
    int[] first = new int[schedule.slots().size()];
    Arrays.fill(first, Integer.MAX_VALUE);
    for (int k = 0; k < schedule.launches().size(); k++) {
      for (int s : schedule.launches().get(k).slots()) {
        first[s] = Math.min(first[s], k);
        last[s] = Math.max(last[s], k);
      }
    }
    List<Integer> order = new ArrayList<>();
    for (int s = 0; s < first.length; s++) {
      if (schedule.slots().get(s).place() instanceof Schedule.Place.Arena) {
        order.add(s);
      }
    }
    order.sort(Comparator.comparingLong(s -> -schedule.slots().get(s).bytes()));
    // Largest first, each into the first buffer that is free over its lifetime.
    List<List<Integer>> shared = new ArrayList<>();
    for (int s : order) {
      List<Integer> home = null;
      for (List<Integer> b : shared) {
        if (home == null && b.stream().allMatch(o -> last[o] < first[s] || last[s] < first[o])) {
          home = b;
        }
      }
      if (home == null) {
        home = new ArrayList<>();
        shared.add(home);
      }
      home.add(s);
    }
    try {
      for (List<Integer> b : shared) {
        long bytes = schedule.slots().get(b.getFirst()).bytes();
        XpuState state = memory.allocate(bytes);
        out.states.add(state);
        out.sizes.add(bytes);
        b.forEach(s -> out.bySlot[s] = state);
      }
    } catch (RuntimeException e) {
      out.close();
      throw e;
    }
    return out;
  }

  /** Gives a slot's record its memory, if it is an intermediate. */
  void bind(int slot, DeviceBufferState record) {
    if (bySlot[slot] != null) {
      record.setXPUBuffer(bySlot[slot].getXPUBuffer());
    }
  }

  @Override
  public void close() {
    for (int i = 0; i < states.size(); i++) {
      memory.release(states.get(i), sizes.get(i));
    }
    states.clear();
  }
}
