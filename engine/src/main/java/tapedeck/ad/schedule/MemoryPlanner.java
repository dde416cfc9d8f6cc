package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.schedule.Fuser.FusedKernel;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Var;
import tapedeck.ad.type.Settings;

/**
 * Gives every stored variable memory: outputs the caller's buffers, donated inputs' buffers where
 * that is safe, and intermediates offsets in one arena. Intermediates whose lifetimes do not
 * overlap share bytes (largest first, lowest gap that fits); one that replaces its last reader's
 * operand element by element takes over its place.
 */
final class MemoryPlanner {
  /** Intermediates that live in one place one after the other. */
  private static final class Block {
    final long bytes;
    final int start;
    int end;

    /** Batch that last put something new into the block. */
    int filled;

    long offset = -1;

    Block(long bytes, int start, int end) {
      this.bytes = bytes;
      this.start = start;
      this.filled = start;
      this.end = end;
    }

    boolean overlaps(Block o) {
      return start <= o.end && o.start <= end;
    }
  }

  private final Tape tape;
  private final List<List<FusedKernel>> batches;

  /** Batch that writes a variable. */
  private final Map<Var, Integer> defined = new HashMap<>();

  /** Last batch that reads it. */
  private final Map<Var, Integer> lastRead = new HashMap<>();

  /** The only kernel of that batch which does; missing where there are several. */
  private final Map<Var, FusedKernel> lastReader = new HashMap<>();

  private final List<Schedule.Slot> slots = new ArrayList<>();
  private final Map<Var, Integer> slotOf = new HashMap<>();

  private MemoryPlanner(Fuser.Fused fused) {
    this.tape = fused.tape();
    this.batches = fused.batches();
    for (int i = 0; i < batches.size(); i++) {
      for (FusedKernel k : batches.get(i)) {
        for (int p = 0; p < k.params().size(); p++) {
          Var v = k.params().get(p);
          if (k.kernel().params().get(p).written()) {
            defined.put(v, i);
          } else if (!Integer.valueOf(i).equals(lastRead.put(v, i))) {
            lastReader.put(v, k);
          } else {
            lastReader.remove(v);
          }
        }
      }
    }
  }

  static Schedule plan(Fuser.Fused fused, Set<Integer> donated) {
    return new MemoryPlanner(fused).run(donated);
  }

  private Schedule run(Set<Integer> donated) {
    List<Integer> inputs = new ArrayList<>();
    for (int i = 0; i < tape.inputs().size(); i++) {
      inputs.add(slot(tape.inputs().get(i), new Schedule.Place.Input(i)));
    }
    Map<Var, Integer> takeover = donate(donated);
    List<Integer> outputs = new ArrayList<>();
    for (int i = 0; i < tape.outputs().size(); i++) {
      Var v = tape.outputs().get(i);
      Integer shared = takeover.get(v);
      if (shared == null) {
        outputs.add(slot(v, new Schedule.Place.Output(i)));
      } else {
        slotOf.put(v, shared);
        outputs.add(shared);
      }
    }
    Map<Var, Block> blocks = blocks();
    List<Block> distinct = new ArrayList<>(new java.util.LinkedHashSet<>(blocks.values()));
    long arena = Settings.PLAN.is("off") ? stack(distinct) : pack(distinct);
    blocks.forEach((v, b) -> slot(v, new Schedule.Place.Arena(b.offset)));
    List<Schedule.Launch> launches = new ArrayList<>();
    for (List<FusedKernel> batch : batches) {
      for (FusedKernel k : batch) {
        List<Integer> args = k.params().stream().map(slotOf::get).toList();
        boolean joins = k != batch.getFirst();
        launches.add(new Schedule.Launch(k.kernel(), k.label(), k.source(), args, joins));
      }
    }
    return new Schedule(
        List.copyOf(slots), List.copyOf(launches), inputs, outputs, arena, live(distinct));
  }

  private int slot(Var v, Schedule.Place place) {
    slots.add(new Schedule.Slot(v.aval().dtype(), v.aval().shape().size(), place));
    slotOf.put(v, slots.size() - 1);
    return slots.size() - 1;
  }

  /** Outputs that take over a donated input's slot. */
  private Map<Var, Integer> donate(Set<Integer> donated) {
    Map<Var, Integer> out = new HashMap<>();
    // First those that update their input in place, then whatever fits.
    for (boolean inPlace : new boolean[] {true, false}) {
      for (int i : donated.stream().sorted().toList()) {
        Var in = tape.inputs().get(i);
        if (out.containsValue(slotOf.get(in))) {
          continue;
        }
        for (Var o : tape.outputs()) {
          if (!out.containsKey(o) && o.aval().equals(in.aval()) && mayReplace(in, o, inPlace)) {
            out.put(o, slotOf.get(in));
            break;
          }
        }
      }
    }
    return out;
  }

  private boolean mayReplace(Var in, Var out, boolean mustRead) {
    Integer def = defined.get(out);
    if (def == null) {
      return false;
    }
    int last = lastRead.getOrDefault(in, -1);
    return last < def ? !mustRead : last == def && replacesInPlace(lastReader.get(in), in, out);
  }

  private static boolean replacesInPlace(@Nullable FusedKernel reader, Var in, Var out) {
    return reader != null
        && reader.params().contains(out)
        && InPlace.allowed(
            reader.kernel(), reader.params().indexOf(in), reader.params().indexOf(out));
  }

  private Map<Var, Block> blocks() {
    Map<Var, Block> out = new java.util.LinkedHashMap<>();
    boolean plan = !Settings.PLAN.is("off");
    for (int i = 0; i < batches.size(); i++) {
      for (FusedKernel k : batches.get(i)) {
        for (int p = 0; p < k.params().size(); p++) {
          Var v = k.params().get(p);
          if (!k.kernel().params().get(p).written() || slotOf.containsKey(v)) {
            continue;
          }
          long bytes = (v.aval().bytes() + Schedule.ALIGN - 1) / Schedule.ALIGN * Schedule.ALIGN;
          Block b = plan ? reusable(out, k, i, v, bytes) : null;
          if (b == null) {
            b = new Block(bytes, i, i);
          }
          b.filled = i;
          b.end = Math.max(i, lastRead.getOrDefault(v, i));
          out.put(v, b);
        }
      }
    }
    return out;
  }

  /**
   * The block of an operand that dies in this batch and that {@code v} replaces element by element.
   */
  private @Nullable Block reusable(
      Map<Var, Block> blocks, FusedKernel k, int batch, Var v, long bytes) {
    for (Var u : k.params()) {
      Block b = blocks.get(u);
      if (b != null
          && b.end == batch
          && b.filled < batch
          && b.bytes == bytes
          && u.aval().dtype().bytes() == v.aval().dtype().bytes()
          && lastReader.get(u) == k
          && replacesInPlace(k, u, v)) {
        return b;
      }
    }
    return null;
  }

  private static long stack(List<Block> blocks) {
    long top = 0;
    for (Block b : blocks) {
      b.offset = top;
      top += b.bytes;
    }
    return top;
  }

  private static long pack(List<Block> blocks) {
    List<Block> bySize = new ArrayList<>(blocks);
    bySize.sort(Comparator.comparingLong((Block b) -> -b.bytes).thenComparingInt(b -> b.start));
    List<Block> placed = new ArrayList<>();
    long top = 0;
    for (Block b : bySize) {
      long at = 0;
      for (Block p : placed) {
        if (p.overlaps(b)) {
          if (p.offset - at >= b.bytes) {
            break;
          }
          at = Math.max(at, p.offset + p.bytes);
        }
      }
      b.offset = at;
      top = Math.max(top, at + b.bytes);
      int i = placed.size();
      while (i > 0 && placed.get(i - 1).offset > at) {
        i--;
      }
      placed.add(i, b);
    }
    return top;
  }

  /** Largest sum of blocks that live during the same batch. */
  private long live(List<Block> blocks) {
    long[] change = new long[batches.size() + 1];
    for (Block b : blocks) {
      change[b.start] += b.bytes;
      change[b.end + 1] -= b.bytes;
    }
    long now = 0;
    long most = 0;
    for (long c : change) {
      now += c;
      most = Math.max(most, now);
    }
    return most;
  }
}
