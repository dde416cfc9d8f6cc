package tapedeck.ad.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.schedule.Schedule.Place;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Aval;

/**
 * An executable for one tape on one device. It is closed when the cache drops it and no run uses
 * it.
 */
final class CompiledTape {
  private final DeviceMemory memory;
  private final Schedule schedule;
  private final Executable executable;
  private final Tape tape;
  private final List<Aval> results;
  private final Set<Integer> donated;
  private int users;
  private boolean dropped;
  private boolean closed;

  CompiledTape(
      DeviceMemory memory,
      Schedule schedule,
      Executable executable,
      Tape tape,
      Set<Integer> donated) {
    this.memory = memory;
    this.schedule = schedule;
    this.executable = executable;
    this.tape = tape;
    this.results = tape.outputAvals();
    this.donated = donated;
  }

  /** The tape that this was compiled for. */
  Tape tape() {
    return tape;
  }

  Schedule schedule() {
    return schedule;
  }

  /** Keeps this open until {@link #release}; false if it has been dropped. */
  synchronized boolean retain() {
    if (dropped) {
      return false;
    }
    users++;
    return true;
  }

  void release() {
    boolean last;
    synchronized (this) {
      last = --users == 0 && dropped && !closed;
      closed |= last;
    }
    if (last) {
      executable.close();
    }
  }

  /** Closes the executable as soon as no run uses it. */
  void drop() {
    boolean now;
    synchronized (this) {
      dropped = true;
      now = users == 0 && !closed;
      closed |= now;
    }
    if (now) {
      executable.close();
    }
  }

  /** Submits one run. Buffers of donated inputs go to results or back to the pool. */
  List<Tensor> run(List<DeviceStorage> inputs) {
    Events.@Nullable Ran event = Events.areOn() ? new Events.Ran() : null;
    if (event != null) {
      event.begin();
    }
    Buffer[] in = new Buffer[inputs.size()];
    Buffer[] out = new Buffer[results.size()];
    boolean[] owned = new boolean[in.length];
    boolean done = false;
    try {
      for (int i = 0; i < in.length; i++) {
        if (!donated.contains(i)) {
          in[i] = inputs.get(i).pin();
        }
      }
      // Results come first: if there is no room for them, nothing was donated yet.
      for (int i = 0; i < out.length; i++) {
        Schedule.Slot slot = schedule.slots().get(schedule.outputs().get(i));
        if (!(slot.place() instanceof Place.Input)) {
          out[i] = memory.allocate(results.get(i).bytes());
        }
      }
      for (int i : donated) {
        in[i] = inputs.get(i).detach();
        owned[i] = true;
      }
      for (int i = 0; i < out.length; i++) {
        Schedule.Slot slot = schedule.slots().get(schedule.outputs().get(i));
        if (slot.place() instanceof Place.Input p) {
          out[i] = in[p.position()];
          owned[p.position()] = false;
        }
      }
      submit(List.of(in), List.of(out));
      done = true;
      List<Tensor> tensors = new ArrayList<>(out.length);
      for (int i = 0; i < out.length; i++) {
        tensors.add(
            Tensor.concrete(results.get(i), new DeviceStorage(results.get(i), memory, out[i])));
      }
      if (event != null) {
        event.device = memory.device().name();
        event.kernels = schedule.launches().size();
        event.commit();
      }
      return tensors;
    } finally {
      for (int i = 0; i < in.length; i++) {
        if (owned[i]) {
          memory.release(in[i]);
        } else if (in[i] != null && !donated.contains(i)) {
          inputs.get(i).unpin();
        }
      }
      if (!done) {
        for (Buffer b : out) {
          if (b != null) {
            memory.release(b);
          }
        }
      }
    }
  }

  private void submit(List<Buffer> in, List<Buffer> out) {
    if (!donated.isEmpty()) {
      // Inputs may be overwritten half-way, so such a run cannot be repeated.
      executable.run(in, out);
      return;
    }
    memory.retry(
        () -> {
          executable.run(in, out);
          return null;
        },
        schedule.arenaBytes());
  }

  /** Device memory that this keeps while nothing runs. */
  long arenaBytes() {
    return schedule.arenaBytes();
  }
}
