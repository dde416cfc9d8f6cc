package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.schedule.Fuser.FusedKernel;
import tapedeck.ad.tape.Var;

/**
 * Puts small kernels that are independent of each other into batches, each of which a backend may
 * launch as one kernel: sums for biases, for example, or the updates of an optimiser. A small
 * kernel waits until another one reads what it writes or updates what it reads, or the batch is
 * full; products and large kernels stay where they are.
 */
final class Joiner {
  /** Bytes that a kernel moves, from which a launch of its own costs nothing that counts. */
  private static final long SMALL = 16L << 20;

  /** Most buffers of a batch: devices with the full profile take 128 pointers as arguments. */
  private static final int BUFFER_LIMIT = 96;

  private final List<List<FusedKernel>> out = new ArrayList<>();
  private List<FusedKernel> waiting = new ArrayList<>();
  private final Set<Var> unwritten = new HashSet<>();
  private final Set<Var> unread = new HashSet<>();

  private final Updates updates;

  private Joiner(Updates updates) {
    this.updates = updates;
  }

  static Fuser.Fused join(Fuser.Fused fused, Updates updates) {
    Joiner j = new Joiner(updates);
    fused.batches().forEach(batch -> batch.forEach(j::add));
    j.flush();
    return new Fuser.Fused(fused.tape(), List.copyOf(j.out));
  }

  private void add(FusedKernel k) {
    boolean needs = k.params().stream().anyMatch(unwritten::contains);
    if (needs || updates.of(k).stream().anyMatch(unread::contains)) {
      flush();
    }
    if (!isSmall(k.kernel())) {
      out.add(List.of(k));
      return;
    }
    int buffers = waiting.stream().mapToInt(w -> w.params().size()).sum();
    if (buffers + k.params().size() > BUFFER_LIMIT) {
      flush();
    }
    waiting.add(k);
    for (int i = 0; i < k.params().size(); i++) {
      (k.kernel().params().get(i).written() ? unwritten : unread).add(k.params().get(i));
    }
  }

  private void flush() {
    if (!waiting.isEmpty()) {
      out.add(List.copyOf(waiting));
    }
    waiting = new ArrayList<>();
    unwritten.clear();
    unread.clear();
  }

  private static boolean isSmall(Kernel k) {
    long bytes = k.params().stream().mapToLong(p -> p.elements() * p.dtype().bytes()).sum();
    return bytes <= SMALL
        && k.contraction().isEmpty()
        && k.phases().stream().noneMatch(p -> p instanceof Phase.ScatterAdd);
  }
}
