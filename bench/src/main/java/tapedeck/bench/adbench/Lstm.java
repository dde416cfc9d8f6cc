package tapedeck.bench.adbench;

import java.nio.file.Path;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/**
 * Loss of a sequence model of diagonal LSTM layers, over c-1 steps: the mean of -y_next (y - log(2
 * + Σ exp y)). The forget and out gates see a layer's input, the in gate and the change its hidden
 * state. The 2 is ADBench's.
 */
public final class Lstm implements AdbenchProblem {

  /**
   * What is differentiated.
   *
   * @param main (2l, 4, b): weights, then biases, of each layer for the forget, in and out gates
   *     and the change
   * @param extra (3, b): input weight, output weight, output bias
   */
  public record Params(Tensor main, Tensor extra) {}

  private final LstmInstance in;
  private final Params params;
  private final Tensor state;
  private final Tensor sequence;
  private final Fn1<Params, Tensor> objective;
  private final Fn1<Params, ValueAndGrad<Params>> gradient;

  public Lstm(LstmInstance in, DType dtype) {
    this.in = in;
    this.params =
        new Params(
            Tensors.of(dtype, in.main(), 2 * in.l(), 4, in.b()),
            Tensors.of(dtype, in.extra(), 3, in.b()));
    this.state = Tensors.of(dtype, in.state(), 2 * in.l(), in.b());
    this.sequence = Tensors.of(dtype, in.sequence(), in.c(), in.b());
    this.objective = Ad.jit((Fn1<Params, Tensor>) this::value);
    this.gradient = Ad.jit(Ad.valueAndGrad((Fn1<Params, Tensor>) this::value));
  }

  private Tensor value(Params p) {
    int layers = in.l();
    Tensor[] hidden = new Tensor[layers];
    Tensor[] cell = new Tensor[layers];
    Tensor[][] weight = new Tensor[layers][4];
    Tensor[][] bias = new Tensor[layers][4];
    for (int i = 0; i < layers; i++) {
      hidden[i] = state.get(2 * i);
      cell[i] = state.get(2 * i + 1);
      for (int gate = 0; gate < 4; gate++) {
        weight[i][gate] = p.main().get(2 * i).get(gate);
        bias[i][gate] = p.main().get(2 * i + 1).get(gate);
      }
    }
    Tensor inWeight = p.extra().get(0);
    Tensor outWeight = p.extra().get(1);
    Tensor outBias = p.extra().get(2);
    Tensor total = null;
    for (int t = 0; t + 1 < in.c(); t++) {
      Tensor x = sequence.get(t).mul(inWeight);
      for (int i = 0; i < layers; i++) {
        Tensor forget = x.mul(weight[i][0]).add(bias[i][0]).sigmoid();
        Tensor ingate = hidden[i].mul(weight[i][1]).add(bias[i][1]).sigmoid();
        Tensor outgate = x.mul(weight[i][2]).add(bias[i][2]).sigmoid();
        Tensor change = hidden[i].mul(weight[i][3]).add(bias[i][3]).tanh();
        cell[i] = cell[i].mul(forget).add(ingate.mul(change));
        hidden[i] = outgate.mul(cell[i].tanh());
        x = hidden[i];
      }
      Tensor y = x.mul(outWeight).add(outBias);
      Tensor normalised = y.sub(y.exp().sum().add(2).log());
      Tensor term = sequence.get(t + 1).mul(normalised).sum();
      total = total == null ? term : total.add(term);
    }
    return total.div(-(double) (in.c() - 1) * in.b());
  }

  @Override
  public String describe() {
    return "lstm with l=" + in.l() + ", c=" + in.c() + ", b=" + in.b();
  }

  @Override
  public double[] objective() {
    return Tensors.take(objective.apply(params));
  }

  @Override
  public double[] derivative() {
    ValueAndGrad<Params> r = gradient.apply(params);
    r.value().close();
    return Tensors.join(Tensors.take(r.grad().main()), Tensors.take(r.grad().extra()));
  }

  @Override
  public void writeObjective(Path file, double[] values) {
    AdbenchFormat.writeColumn(file, values);
  }

  @Override
  public void writeDerivative(Path file, double[] derivative) {
    AdbenchFormat.writeColumn(file, derivative);
  }

  @Override
  public double[] readDerivative(Path file) {
    return Tensors.read(file, (8 * in.l() + 3) * in.b());
  }
}
