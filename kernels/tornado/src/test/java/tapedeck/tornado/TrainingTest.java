package tapedeck.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.JitFn2;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;

/** A network trains to the losses of the CPU backend, which computes it in other ways. */
class TrainingTest {
  private static final int BATCH = 128;
  private static final int WIDTH = 64;
  private static final int CLASSES = 10;
  private static final int STEPS = 40;
  private static final double RATE = 0.3;

  record Mlp(Tensor w1, Tensor b1, Tensor w2, Tensor b2) {
    Tensor logits(Tensor x) {
      return x.matmul(w1).add(b1).tanh().matmul(w2).add(b2);
    }

    List<Tensor> parameters() {
      return List.of(w1, b1, w2, b2);
    }
  }

  record Batch(Tensor images, Tensor labels) {}

  record Stepped(Mlp params, Tensor loss) {}

  @BeforeAll
  static void findDevice() {
    BackendProvider.Discovery found = new TornadoProvider().discover();
    Assumptions.assumeFalse(
        found.devices().isEmpty(), () -> "not tested, no TornadoVM: " + found.rejections());
  }

  private static Stepped step(Mlp p, Batch batch) {
    ValueAndGrad<Mlp> r =
        Ad.valueAndGrad((Mlp m, Batch b) -> Tensor.crossEntropy(m.logits(b.images), b.labels))
            .apply(p, batch);
    Mlp g = r.grad();
    return new Stepped(
        new Mlp(
            p.w1.sub(g.w1.mul(RATE)),
            p.b1.sub(g.b1.mul(RATE)),
            p.w2.sub(g.w2.mul(RATE)),
            p.b2.sub(g.b2.mul(RATE))),
        r.value());
  }

  private static float[] normal(Random random, int n, double scale) {
    float[] v = new float[n];
    for (int i = 0; i < n; i++) {
      v[i] = (float) (random.nextGaussian() * scale);
    }
    return v;
  }

  /** Images of a class are around a common one. */
  private static Batch data(Random random) {
    float[] centres = normal(random, CLASSES * WIDTH, 1);
    float[] images = normal(random, BATCH * WIDTH, 0.7);
    int[] labels = new int[BATCH];
    for (int i = 0; i < BATCH; i++) {
      labels[i] = i % CLASSES;
      for (int j = 0; j < WIDTH; j++) {
        images[i * WIDTH + j] += centres[labels[i] * WIDTH + j];
      }
    }
    return new Batch(Tensor.of(images, BATCH, WIDTH), Tensor.of(labels));
  }

  private static double[] losses(String device, int hidden) {
    Devices.open(device);
    return Ad.onDevice(
        device,
        () -> {
          Random random = new Random(1);
          Batch batch = data(random);
          Mlp p =
              new Mlp(
                  Tensor.of(normal(random, WIDTH * hidden, 0.1), WIDTH, hidden),
                  Tensor.of(new float[hidden]),
                  Tensor.of(normal(random, hidden * CLASSES, 0.1), hidden, CLASSES),
                  Tensor.of(new float[CLASSES]));
          JitFn2<Mlp, Batch, Stepped> step = Ad.jit(TrainingTest::step, Donate.FIRST);
          double[] losses = new double[STEPS];
          for (int i = 0; i < STEPS; i++) {
            Stepped s = step.apply(p, batch);
            p = s.params();
            losses[i] = s.loss().item();
            s.loss().close();
          }
          p.parameters().forEach(Tensor::close);
          batch.images.close();
          batch.labels.close();
          return losses;
        });
  }

  private static void trainsAlike(int hidden) {
    double[] expected = losses("cpu", hidden);
    double[] losses = losses("tornado:0", hidden);
    for (int i = 0; i < STEPS; i++) {
      assertEquals(expected[i], losses[i], 1e-4 * expected[i] + 1e-6, "loss of step " + i);
    }
    assertTrue(losses[STEPS - 1] < 0.1 * losses[0], losses[0] + " to " + losses[STEPS - 1]);
  }

  @Test
  void aSmallNetworkTrainsAsOnTheCpu() {
    trainsAlike(32);
  }

  /** With products and elementwise kernels in blocks. */
  @Test
  void aWideNetworkTrainsAsOnTheCpu() {
    trainsAlike(256);
  }
}
