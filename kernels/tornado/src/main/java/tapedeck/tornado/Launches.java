package tapedeck.tornado;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tapedeck.tornado.render.JavaKernel;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.memory.XPUBuffer;

/**
 * The launches of a plan that has run once. TornadoVM interprets its graph in every run: it sets
 * all arguments of all kernels, looks at the sizes of their grids and keeps their events. All of it
 * is the same each time but for the buffers that were exchanged, so later runs set those arguments
 * alone and put the kernels into the queue themselves.
 */
final class Launches {
  /** Arguments of a kernel before its arrays: frame, constants, local memory, atomics. */
  private static final int RESERVED = 4;

  /**
   * A task of a graph.
   *
   * @param name its name, with that of its graph
   * @param kernel the kernel
   * @param slots slot of each array among its arguments
   * @param grid sizes of the launch
   */
  record Task(String name, JavaKernel kernel, List<Integer> slots, WorkerGrid grid) {}

  private final Queue queue;
  private final long handle;
  private final List<Task> tasks;
  private final long[] kernels;

  /** For each slot the kernels and argument numbers that have it. */
  private final List<List<int[]>> uses = new ArrayList<>();

  private final XPUBuffer[] bound;

  private Launches(Queue queue, List<Task> tasks, long[] kernels, int slots) {
    this.queue = queue;
    this.handle = queue.handle();
    this.tasks = tasks;
    this.kernels = kernels;
    this.bound = new XPUBuffer[slots];
    for (int s = 0; s < slots; s++) {
      uses.add(new ArrayList<>());
    }
    for (int k = 0; k < kernels.length; k++) {
      List<Integer> arrays = tasks.get(k).slots;
      for (int i = 0; i < arrays.size(); i++) {
        uses.get(arrays.get(i)).add(new int[] {k, RESERVED + i});
      }
    }
  }

  /**
   * The launches of a plan that has run, or nothing where TornadoVM is to do them: by the setting,
   * for its profiler, and where kernels have other arguments than is known here.
   *
   * @param queue where they are put
   * @param plan number of the plan
   * @param slots number of the schedule's slots
   */
  static Optional<Launches> of(Queue queue, long plan, List<Task> tasks, int slots) {
    long[] kernels = new long[tasks.size()];
    for (int k = 0; k < kernels.length; k++) {
      Task t = tasks.get(k);
      kernels[k] = queue.kernel(plan, t.name, t.kernel.name());
      if (kernels[k] == 0 || queue.arguments(kernels[k]) != RESERVED + t.slots.size()) {
        return Optional.empty();
      }
    }
    return Optional.of(new Launches(queue, tasks, kernels, slots));
  }

  /** Whether plans may be run in this way. */
  static boolean wanted() {
    return !System.getProperty("tapedeck.tornado.replay", "").equals("interpreted")
        // It wants the event of every kernel.
        && !Boolean.parseBoolean(System.getProperty("tornado.profiler"));
  }

  /** Binds a slot to device memory. */
  void bind(int slot, XPUBuffer memory) {
    if (bound[slot] == memory) {
      return;
    }
    bound[slot] = null;
    for (int[] use : uses.get(slot)) {
      queue.set(kernels[use[0]], use[1], memory.toBuffer());
    }
    bound[slot] = memory;
  }

  /** Puts all kernels into the queue. */
  void run() {
    for (int k = 0; k < kernels.length; k++) {
      WorkerGrid g = tasks.get(k).grid;
      queue.enqueue(handle, kernels[k], g.dimension(), g.getGlobalWork(), g.getLocalWork());
    }
    queue.flush(handle);
  }
}
