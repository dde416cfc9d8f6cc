package tapedeck.bench.work;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tapedeck.ad.tensor.Tensor;

/** Some functions over common operands. */
public interface Workload {

  /** The name by which a user chooses it; the first part of its lines' names. */
  String name();

  /** All operands, by names that start with that of the workload. */
  Map<String, HostTensor> data();

  /**
   * The functions, on the default device.
   *
   * @param operand uploads the operand of a name; the caller closes it
   */
  List<Line> lines(Function<String, Tensor> operand);
}
