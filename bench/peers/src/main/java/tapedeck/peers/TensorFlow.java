package tapedeck.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Variable;
import org.tensorflow.proto.ConfigProto;
import org.tensorflow.types.TFloat32;

/** TensorFlow in graph mode: everything is a variable, so that nothing is folded. */
final class TensorFlow implements Peer {
  private static final int STEPS = 3;

  private final TensorFile data;
  private final int threads;

  TensorFlow(TensorFile data, int threads) {
    this.data = data;
    this.threads = threads;
  }

  @Override
  public String version() {
    return "TensorFlow " + org.tensorflow.TensorFlow.version() + ", " + threads + " threads";
  }

  @Override
  public Work work(String name) {
    if (!name.startsWith("mlp/")) {
      throw new UnsupportedOperationException("written for the multilayer perceptron only");
    }
    Net net = new Net();
    return switch (name) {
      case "mlp/forward" -> net.fetching(List.of(net.loss));
      case "mlp/gradient" -> {
        List<Output<?>> all = new ArrayList<>(List.of(net.loss));
        all.addAll(List.of(net.gradients));
        yield net.fetching(all);
      }
      default -> net.stepping();
    };
  }

  private final class Net {
    private final Graph graph = new Graph();
    private final Ops tf = Ops.create(graph);
    private final List<Op> initial = new ArrayList<>();
    private final List<Variable<TFloat32>> params = new ArrayList<>();
    private final List<Op> updates = new ArrayList<>();
    private final Output<TFloat32> loss;
    private final Output<?>[] gradients;
    private final Session session;

    Net() {
      Operand<TFloat32> h = variable("mlp/images");
      for (int i = 0; data.has("mlp/layers." + i + ".weight"); i++) {
        Variable<TFloat32> w = variable("mlp/layers." + i + ".weight");
        Variable<TFloat32> b = variable("mlp/layers." + i + ".bias");
        params.add(w);
        params.add(b);
        h = tf.math.add(tf.linalg.matMul(h, w), b);
        if (data.has("mlp/layers." + (i + 1) + ".weight")) {
          h = tf.nn.relu(h);
        }
      }
      Variable<TFloat32> y = labels(h.shape().get(1));
      // The sparse form has no gradient in graph mode.
      loss =
          tf.math.mean(tf.nn.softmaxCrossEntropyWithLogits(h, y).loss(), tf.constant(0)).output();
      Output<?>[] of = params.stream().map(Operand::asOutput).toArray(Output<?>[]::new);
      gradients = graph.addGradients(loss, of);
      for (int i = 0; i < params.size(); i++) {
        updates.add(
            tf.train.applyGradientDescent(
                params.get(i), tf.constant((float) Torch.RATE), float32(gradients[i])));
      }
      session =
          new Session(
              graph,
              ConfigProto.newBuilder()
                  .setIntraOpParallelismThreads(threads)
                  .setInterOpParallelismThreads(1)
                  .build());
      reset();
    }

    @SuppressWarnings("unchecked")
    private static Output<TFloat32> float32(Output<?> o) {
      return (Output<TFloat32>) o;
    }

    private void reset() {
      Session.Runner r = session.runner();
      initial.forEach(r::addTarget);
      r.run().close();
    }

    private Variable<TFloat32> variable(String name) {
      return variable(Shape.of(data.shape(name)), data.floats(name));
    }

    private Variable<TFloat32> variable(Shape shape, float[] values) {
      Variable<TFloat32> v = tf.variable(shape, TFloat32.class);
      initial.add(tf.assign(v, tf.constant(shape, DataBuffers.of(values))));
      return v;
    }

    private Variable<TFloat32> labels(long classes) {
      int[] y = data.ints("mlp/labels");
      float[] hot = new float[Math.toIntExact(y.length * classes)];
      for (int i = 0; i < y.length; i++) {
        hot[(int) (i * classes) + y[i]] = 1;
      }
      return variable(Shape.of(y.length, classes), hot);
    }

    Work fetching(List<Output<?>> outputs) {
      return new Work() {
        @Override
        public void run() {
          fetch().close();
        }

        private Result fetch() {
          Session.Runner r = session.runner();
          outputs.forEach(r::fetch);
          return r.run();
        }

        @Override
        public double[] result() {
          List<double[]> parts = new ArrayList<>();
          try (Result r = fetch()) {
            for (int i = 0; i < outputs.size(); i++) {
              parts.add(numbers((TFloat32) r.get(i)));
            }
          }
          return Thin.join(parts);
        }
      };
    }

    private double step() {
      Session.Runner r = session.runner().fetch(loss);
      updates.forEach(r::addTarget);
      try (Result out = r.run()) {
        return numbers((TFloat32) out.get(0))[0];
      }
    }

    Work stepping() {
      return new Work() {
        @Override
        public void run() {
          step();
        }

        @Override
        public double[] result() {
          reset();
          double[] losses = new double[STEPS];
          Arrays.setAll(losses, _ -> step());
          return losses;
        }
      };
    }
  }

  private static double[] numbers(TFloat32 t) {
    float[] f = new float[Math.toIntExact(t.size())];
    t.asRawTensor().data().asFloats().read(f);
    double[] d = new double[f.length];
    Arrays.setAll(d, i -> f[i]);
    return d;
  }
}
