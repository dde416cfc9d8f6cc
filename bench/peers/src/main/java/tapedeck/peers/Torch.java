package tapedeck.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** libtorch in eager mode. */
final class Torch implements Peer {
  static final double RATE = 0.01;
  private static final int STEPS = 3;

  private final TensorFile data;

  Torch(TensorFile data, int threads) {
    this.data = data;
    torch.set_num_threads(threads);
    torch.set_num_interop_threads(1);
  }

  @Override
  public String version() {
    return "libtorch "
        + torch.TORCH_VERSION_MAJOR
        + "."
        + torch.TORCH_VERSION_MINOR
        + "."
        + torch.TORCH_VERSION_PATCH
        + ", "
        + torch.get_num_threads()
        + " threads";
  }

  @Override
  public Work work(String name) {
    return switch (name) {
      case "mlp/forward", "mlp/gradient", "mlp/step" -> mlp(name);
      case "black-scholes/price", "black-scholes/gradient", "black-scholes/greeks" ->
          TorchModels.blackScholes(this, name);
      case "per-example/summed" -> TorchModels.summed(this);
      case "gmm/objective", "gmm/gradient" -> TorchModels.gmm(this, name);
      default -> {
        if (name.startsWith("rows/")) {
          yield TorchModels.rows(this, name);
        }
        if (name.startsWith("matmul/") && !name.matches(".*-(bfloat16|default|high)")) {
          yield matmul(name);
        }
        throw new UnsupportedOperationException(
            name.startsWith("per-example/") ? "the Java binding has no vmap" : "no such function");
      }
    };
  }

  /** A tensor of the data file. */
  Tensor load(String name) {
    long[] shape = data.shape(name);
    if (data.isFloat64(name)) {
      return torch
          .from_blob(
              new DoublePointer(data.doubles(name)), shape, new TensorOptions(ScalarType.Double))
          .clone();
    }
    return torch.from_blob(new FloatPointer(data.floats(name)), shape).clone();
  }

  private Tensor labels(String name) {
    return torch
        .from_blob(
            new IntPointer(data.ints(name)), data.shape(name), new TensorOptions(ScalarType.Int))
        .to(ScalarType.Long);
  }

  /** A function whose results may be dropped, without gradients. */
  static Work plain(Supplier<List<Tensor>> f) {
    return work(
        () -> {
          try (NoGradGuard _ = new NoGradGuard()) {
            return f.get();
          }
        });
  }

  /** A function whose results may be dropped. */
  static Work work(Supplier<List<Tensor>> f) {
    return new Work() {
      @Override
      public void run() {
        try (PointerScope _ = new PointerScope()) {
          var _ = f.get();
        }
      }

      @Override
      public double[] result() {
        try (PointerScope _ = new PointerScope()) {
          return numbers(f.get());
        }
      }
    };
  }

  /** Value and gradient of a scalar function of some tensors. */
  static List<Tensor> valueAndGradient(Tensor value, List<Tensor> of) {
    List<Tensor> out = new ArrayList<>();
    out.add(value);
    out.addAll(gradients(value, of, false));
    return out;
  }

  /** Derivatives of a scalar; with {@code again} they can be differentiated themselves. */
  static List<Tensor> gradients(Tensor value, List<Tensor> of, boolean again) {
    TensorVector g =
        torch.grad(
            new TensorVector(value),
            new TensorVector(of.toArray(Tensor[]::new)),
            new TensorVector(),
            new BoolOptional(again),
            again,
            false);
    List<Tensor> out = new ArrayList<>();
    for (int i = 0; i < of.size(); i++) {
      out.add(g.get(i));
    }
    return out;
  }

  static double[] numbers(List<Tensor> tensors) {
    List<double[]> parts = new ArrayList<>();
    for (Tensor t : tensors) {
      Tensor d = t.detach().to(ScalarType.Double).contiguous();
      double[] p = new double[Math.toIntExact(d.numel())];
      new DoublePointer(d.data_ptr_double()).get(p);
      parts.add(p);
    }
    return Thin.join(parts);
  }

  // ---- the multilayer perceptron ------------------------------------------------------------

  private final class Net {
    final List<Tensor> params = new ArrayList<>();
    final Tensor x = load("mlp/images");
    final Tensor y = labels("mlp/labels");

    Net() {
      for (int i = 0; data.has("mlp/layers." + i + ".weight"); i++) {
        params.add(load("mlp/layers." + i + ".weight").requires_grad_(true));
        params.add(load("mlp/layers." + i + ".bias").requires_grad_(true));
      }
    }

    Tensor loss() {
      Tensor h = x;
      for (int i = 0; i < params.size(); i += 2) {
        h = torch.addmm(params.get(i + 1), h, params.get(i));
        h = i + 2 < params.size() ? torch.relu(h) : h;
      }
      return torch.cross_entropy_loss(h, y);
    }

    Tensor step() {
      Tensor loss = loss();
      List<Tensor> g = gradients(loss, params, false);
      try (NoGradGuard _ = new NoGradGuard();
          Scalar rate = new Scalar(-RATE)) {
        for (int i = 0; i < params.size(); i++) {
          params.get(i).add_(g.get(i), rate);
        }
      }
      return loss;
    }
  }

  private Work mlp(String name) {
    Net net = new Net();
    return switch (name) {
      case "mlp/forward" -> plain(() -> List.of(net.loss()));
      case "mlp/gradient" -> work(() -> valueAndGradient(net.loss(), net.params));
      default ->
          new Work() {
            @Override
            public void run() {
              try (PointerScope _ = new PointerScope()) {
                net.step();
              }
            }

            @Override
            public double[] result() {
              double[] losses = new double[STEPS];
              try (PointerScope _ = new PointerScope()) {
                Net fresh = new Net();
                Arrays.setAll(losses, _ -> fresh.step().item_float());
              }
              return losses;
            }
          };
    };
  }

  // ---- matrix products ----------------------------------------------------------------------

  private Work matmul(String name) {
    Tensor a = load(name + "/a");
    Tensor b = load(name + "/b");
    Tensor left = name.endsWith("-tn") ? a.t() : a;
    Tensor right = name.endsWith("-nt") ? b.t() : b;
    return plain(() -> List.of(torch.mm(left, right)));
  }
}
