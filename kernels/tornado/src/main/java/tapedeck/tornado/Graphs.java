package tapedeck.tornado;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import tapedeck.tornado.render.JavaKernel;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;

/**
 * Task graphs of one plan under construction. A schedule is one graph, unless it has more tasks
 * than TornadoVM's records of a graph, 8 KiB and 1024 nodes in its version 5.2.0, have room for.
 */
final class Graphs {
  private static final AtomicLong COUNT = new AtomicLong();
  private static final int ROOM = 2500;
  private static final int PER_TASK = 16;
  private static final int PER_ARGUMENT = 5;

  private final List<List<Object>> arrays;
  private final GridScheduler grids = new GridScheduler();
  private final KernelContext context = new KernelContext();
  private final List<ImmutableTaskGraph> done = new ArrayList<>();
  private final List<Launches.Task> all = new ArrayList<>();
  private TaskGraph graph;
  private String name;
  private int used;
  private int tasks;

  /**
   * @param arrays placeholders of every slot: as many as any launch has the slot
   */
  Graphs(List<List<Object>> arrays) {
    this.arrays = arrays;
    begin();
  }

  private void begin() {
    name = "schedule" + COUNT.incrementAndGet();
    graph = new TaskGraph(name);
    graph.transferToDevice(
        DataTransferMode.FIRST_EXECUTION, arrays.stream().flatMap(List::stream).toArray());
    used = 0;
    tasks = 0;
  }

  /** Adds a launch of a kernel whose parameters are bound to some slots. */
  void add(Kernels.Loaded k, List<Integer> slots) {
    List<Integer> params = k.kernel().params();
    int size = PER_TASK + PER_ARGUMENT * (params.size() + 1);
    if (tasks > 0 && used + size > ROOM) {
      done.add(graph.snapshot());
      begin();
    }
    Object[] args = new Object[params.size() + 1];
    args[0] = context;
    for (int i = 0; i < params.size(); i++) {
      int param = params.get(i);
      int before = Collections.frequency(slots.subList(0, param), slots.get(param));
      args[i + 1] = arrays.get(slots.get(param)).get(before);
    }
    String id = "k" + tasks;
    graph.addTask(k.task().pack(id, args));
    WorkerGrid grid = grid(k.kernel());
    grids.addWorkerGrid(name + "." + id, grid);
    all.add(
        new Launches.Task(
            name + "." + id, k.kernel(), params.stream().map(slots::get).toList(), grid));
    used += size;
    tasks++;
  }

  private static WorkerGrid grid(JavaKernel k) {
    WorkerGrid g = new WorkerGrid1D(Math.toIntExact(k.global()));
    g.setLocalWork(k.local(), 1, 1);
    return g;
  }

  /** The graphs, to which nothing may be added any more. */
  ImmutableTaskGraph[] snapshots() {
    done.add(graph.snapshot());
    return done.toArray(ImmutableTaskGraph[]::new);
  }

  /** All tasks of all graphs, in order. */
  List<Launches.Task> tasks() {
    return List.copyOf(all);
  }

  GridScheduler grids() {
    return grids;
  }
}
