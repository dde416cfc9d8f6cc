package tapedeck.peers;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** The smaller functions in libtorch. */
final class TorchModels {
  private static final double EPSILON = 1e-5;

  private TorchModels() {}

  // ---- Black-Scholes ------------------------------------------------------------------------

  private static Tensor cdf(Tensor x) {
    return torch.erf(x.mul(new Scalar(Math.sqrt(0.5)))).add(new Scalar(1.0)).mul(new Scalar(0.5));
  }

  private static Tensor price(List<Tensor> in) {
    Tensor s = in.get(0);
    Tensor k = in.get(1);
    Tensor t = in.get(2);
    Tensor r = in.get(3);
    Tensor v = in.get(4);
    Tensor spread = v.mul(torch.sqrt(t));
    Tensor drift = r.add(v.square().mul(new Scalar(0.5))).mul(t);
    Tensor d1 = torch.log(s.div(k)).add(drift).div(spread);
    Tensor d2 = d1.sub(spread);
    return s.mul(cdf(d1)).sub(k.mul(torch.exp(r.mul(t).neg())).mul(cdf(d2)));
  }

  static Peer.Work blackScholes(Torch torchPeer, String name) {
    List<Tensor> in = new ArrayList<>();
    boolean differentiable = !name.endsWith("/price");
    for (String n : List.of("spot", "strike", "time", "rate", "volatility")) {
      in.add(torchPeer.load("black-scholes/" + n).requires_grad_(differentiable));
    }
    return switch (name) {
      case "black-scholes/price" -> Torch.plain(() -> List.of(price(in)));
      case "black-scholes/gradient" ->
          Torch.work(
              () -> {
                Tensor p = price(in);
                List<Tensor> out = new ArrayList<>(List.of(p));
                out.addAll(Torch.gradients(p.sum(), in, false));
                return out;
              });
      default ->
          Torch.work(
              () -> {
                Tensor p = price(in);
                List<Tensor> spot = in.subList(0, 1);
                List<Tensor> first =
                    Torch.gradients(
                        p.sum(), List.of(in.get(0), in.get(4), in.get(2), in.get(3)), true);
                List<Tensor> out = new ArrayList<>(List.of(p));
                out.addAll(first);
                out.addAll(Torch.gradients(first.get(0).sum(), spot, false));
                return out;
              });
    };
  }

  // ---- the network 5-16-1, gradient of the sum over all examples -----------------------------

  static Peer.Work summed(Torch peer) {
    Tensor x = peer.load("per-example/x");
    Tensor y = peer.load("per-example/y");
    List<Tensor> p = new ArrayList<>();
    for (String n : List.of("w1", "b1", "w2", "b2")) {
      p.add(peer.load("per-example/" + n).requires_grad_(true));
    }
    return Torch.work(
        () -> {
          Tensor h = torch.tanh(torch.addmm(p.get(1), x, p.get(0).t()));
          Tensor out = torch.matmul(h, p.get(2)).add(p.get(3));
          return Torch.gradients(out.sub(y).square().sum(), p, false);
        });
  }

  // ---- rows ---------------------------------------------------------------------------------

  static Peer.Work rows(Torch peer, String name) {
    Tensor x = peer.load("rows/x");
    long side = x.size(1);
    switch (name) {
      case "rows/copy" -> {
        return Torch.plain(() -> List.of(x.neg()));
      }
      case "rows/elementwise" -> {
        Tensor scale = peer.load("rows/scale");
        Tensor shift = peer.load("rows/shift");
        return Torch.plain(() -> List.of(x.mul(scale).add(shift).tanh().mul(x)));
      }
      case "rows/softmax" -> {
        return Torch.plain(() -> List.of(torch.softmax(x, 1)));
      }
      case "rows/layer-norm" -> {
        TensorOptional scale = new TensorOptional(peer.load("rows/scale"));
        TensorOptional shift = new TensorOptional(peer.load("rows/shift"));
        return Torch.plain(
            () -> List.of(torch.layer_norm(x, new long[] {side}, scale, shift, EPSILON, false)));
      }
      case "rows/log-sum-exp" -> {
        return Torch.plain(() -> List.of(torch.logsumexp(x, 1)));
      }
      case "rows/sum-last" -> {
        return Torch.plain(() -> List.of(torch.sum(x, 1)));
      }
      case "rows/sum-first" -> {
        return Torch.plain(() -> List.of(torch.sum(x, 0)));
      }
      case "rows/sum-middle" -> {
        long[] shape = middle(x.numel());
        Tensor cube = x.reshape(shape);
        return Torch.plain(() -> List.of(torch.sum(cube, 1)));
      }
      default -> throw new UnsupportedOperationException("no function " + name);
    }
  }

  /** (a, a, n / a²) with a power of two near the cube root. */
  private static long[] middle(long n) {
    long a = 1;
    while (8 * a * a * a <= n) {
      a *= 2;
    }
    return new long[] {a, a, n / (a * a)};
  }

  // ---- Gaussian mixture ---------------------------------------------------------------------

  static Peer.Work gmm(Torch peer, String name) {
    boolean gradient = name.endsWith("/gradient");
    Tensor alphas = peer.load("gmm/alphas").requires_grad_(gradient);
    Tensor means = peer.load("gmm/means").requires_grad_(gradient);
    Tensor icf = peer.load("gmm/icf").requires_grad_(gradient);
    Tensor x = peer.load("gmm/x");
    double gamma = peer.load("gmm/gamma").item_double();
    double m = peer.load("gmm/m").item_double();
    double constant = peer.load("gmm/constant").item_double();
    long k = means.size(0);
    long d = means.size(1);
    long n = x.size(0);
    Tensor place = torch.zeros(d, d).to(torch.ScalarType.Long).add_(new Scalar(d * (d + 1) / 2));
    long next = d;
    for (long column = 0; column < d; column++) {
      for (long row = column + 1; row < d; row++) {
        place.narrow(0, row, 1).narrow(1, column, 1).fill_(new Scalar(next++));
      }
    }
    Tensor lower = place.reshape(d * d);
    Tensor zeros = torch.zeros(k, 1).to(torch.ScalarType.Double);
    java.util.function.Supplier<Tensor> value =
        () -> {
          Tensor q = icf.narrow(1, 0, d);
          Tensor expQ = torch.exp(q);
          Tensor l =
              torch
                  .cat(new org.bytedeco.pytorch.TensorVector(icf, zeros), 1)
                  .index_select(1, lower)
                  .reshape(k, d, d);
          Tensor qs = l.add(torch.diag_embed(expQ));
          Tensor qx = torch.mm(x, qs.reshape(k * d, d).t()).reshape(n, k, d);
          Tensor qmu = torch.matmul(qs, means.unsqueeze(2)).reshape(k, d);
          Tensor inner =
              alphas
                  .add(torch.sum(q, 1))
                  .sub(torch.sum(qx.sub(qmu).square(), 2).mul(new Scalar(0.5)));
          Tensor likelihood =
              torch
                  .logsumexp(inner, 1)
                  .sum()
                  .sub(torch.logsumexp(alphas, 0).mul(new Scalar((double) n)));
          Tensor strict = icf.narrow(1, d, d * (d - 1) / 2);
          Tensor prior =
              expQ.square()
                  .sum()
                  .add(strict.square().sum())
                  .mul(new Scalar(0.5 * gamma * gamma))
                  .sub(q.sum().mul(new Scalar(m)));
          return likelihood.add(prior).add(new Scalar(constant));
        };
    return gradient
        ? Torch.work(() -> Torch.valueAndGradient(value.get(), List.of(alphas, means, icf)))
        : Torch.plain(() -> List.of(value.get()));
  }
}
