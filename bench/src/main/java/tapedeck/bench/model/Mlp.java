package tapedeck.bench.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import tapedeck.ad.RandomKey;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DataException;
import tapedeck.ad.type.Shape;

/**
 * A multilayer perceptron with rectified linear units between its layers.
 *
 * @param layers at least one
 */
public record Mlp(List<Layer> layers) {

  /**
   * An affine map.
   *
   * @param w (in, out)
   * @param b (out)
   */
  public record Layer(Tensor w, Tensor b) {}

  /**
   * Random weights with variance 2/in (He, Zhang, Ren, Sun: Delving deep into rectifiers, 2015) and
   * zero biases.
   *
   * @param sizes width of the input, of each hidden layer and of the output
   */
  public static Mlp init(DType dtype, long seed, int... sizes) {
    RandomKey key = RandomKey.of(seed);
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i + 1 < sizes.length; i++) {
      Tensor w = key.fold(i).normal(dtype, Shape.of(sizes[i], sizes[i + 1]));
      layers.add(new Layer(w.mul(Math.sqrt(2.0 / sizes[i])), Tensor.zeros(dtype, sizes[i + 1])));
    }
    return new Mlp(layers);
  }

  /** Scores (batch, classes) of images (batch, features). */
  public Tensor logits(Tensor x) {
    Tensor h = x;
    for (int i = 0; i < layers.size(); i++) {
      Layer l = layers.get(i);
      h = h.matmul(l.w).add(l.b);
      h = i + 1 < layers.size() ? h.relu() : h;
    }
    return h;
  }

  /** Mean softmax cross entropy over the batch: a scalar. */
  public Tensor loss(Batch batch) {
    return Tensor.crossEntropy(logits(batch.images()), batch.labels());
  }

  /** Number of images whose highest score is at their label: a scalar int32. */
  public Tensor hits(Batch batch) {
    return logits(batch.images()).argmax(1).eq(batch.labels()).cast(DType.INT32).sum();
  }

  /** The same function of each parameter. */
  public Mlp map(UnaryOperator<Tensor> f) {
    return new Mlp(layers.stream().map(l -> new Layer(f.apply(l.w), f.apply(l.b))).toList());
  }

  /** A function of each parameter and its counterpart. */
  public Mlp zip(Mlp other, BinaryOperator<Tensor> f) {
    List<Layer> out = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      Layer a = layers.get(i);
      Layer b = other.layers.get(i);
      out.add(new Layer(f.apply(a.w, b.w), f.apply(a.b, b.b)));
    }
    return new Mlp(out);
  }

  /** Weights and biases, layer by layer. */
  public List<Tensor> parameters() {
    return layers.stream().flatMap(l -> java.util.stream.Stream.of(l.w, l.b)).toList();
  }

  /** All parameters, one after the other. */
  public double[] flat() {
    return parameters().stream()
        .flatMapToDouble(t -> java.util.Arrays.stream(t.toDoubleArray()))
        .toArray();
  }

  /** Parameters by name: {@code layers.0.weight}, {@code layers.0.bias} and so on. */
  public Map<String, Tensor> named() {
    Map<String, Tensor> m = new LinkedHashMap<>();
    for (int i = 0; i < layers.size(); i++) {
      m.put("layers." + i + ".weight", layers.get(i).w);
      m.put("layers." + i + ".bias", layers.get(i).b);
    }
    return m;
  }

  /**
   * The network with these parameters.
   *
   * @param expected tells the names, shapes and types that must be there
   * @throws DataException if one is missing, of another shape or type, or there are more
   */
  public static Mlp fromNamed(Map<String, Tensor> found, Mlp expected, String source) {
    Map<String, Tensor> wanted = expected.named();
    for (String name : found.keySet()) {
      if (!wanted.containsKey(name)) {
        throw new DataException(
            "[load] " + source + " has the tensor '" + name + "', which this network lacks");
      }
    }
    wanted.forEach(
        (name, w) -> {
          Tensor f = found.get(name);
          if (f == null) {
            throw new DataException("[load] " + source + " has no tensor '" + name + "'");
          }
          if (!f.aval().equals(w.aval())) {
            throw new DataException(
                "[load] "
                    + source
                    + ": tensor '"
                    + name
                    + "' is "
                    + f.aval()
                    + ", this network has "
                    + w.aval());
          }
        });
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < expected.layers.size(); i++) {
      layers.add(
          new Layer(found.get("layers." + i + ".weight"), found.get("layers." + i + ".bias")));
    }
    return new Mlp(layers);
  }
}
