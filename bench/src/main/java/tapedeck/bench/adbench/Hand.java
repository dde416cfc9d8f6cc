package tapedeck.bench.adbench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.Fn2;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/**
 * Distances of measured points from the surface of a posed hand: a chain of bones with Euler
 * rotations, linear blend skinning, a global rotation. The Jacobian is computed in forward mode,
 * all columns at once: a batch of tangents, one for each parameter. In the complicated form a
 * point's error depends on its own two barycentric coordinates only, so two tangents serve for all
 * of them.
 */
public final class Hand implements AdbenchProblem {
  private static final double SMALL = 1e-4;

  private final HandInstance in;
  private final Tensor theta;
  private final Tensor us;
  private final Tensor thetaTangents;
  private final Tensor usTangents;
  private final int columns;
  private final Fn2<Tensor, Tensor, Tensor> objective;
  private final Fn2<Tensor, Tensor, Tensor> jacobian;

  private final DType dtype;
  private final List<int[]> levels = new ArrayList<>();
  private final Tensor relatives;
  private final Tensor inverses;
  private final Tensor skin;
  private final Tensor points;
  private final Tensor vertices;
  private final Tensor angleX;
  private final Tensor angleZ;
  private final Tensor eulerBasis;

  public Hand(HandInstance in, DType dtype) {
    this.in = in;
    this.dtype = dtype;
    HandModel model = in.model();
    int bones = model.bones();
    int n = in.correspondences().length;
    this.theta = Tensors.of(dtype, in.theta(), HandInstance.THETA);
    this.us = Tensors.of(dtype, in.isComplicated() ? in.us() : new double[2 * n], n, 2);
    this.relatives = Tensors.of(dtype, model.relatives(), bones, 4, 4);
    this.inverses = Tensors.of(dtype, model.inverses(), bones, 4, 4);
    this.points = Tensors.of(dtype, in.points(), n, 3);
    this.skin = Tensors.of(dtype, skinning(model), model.vertices(), 4 * bones);
    int corners = in.isComplicated() ? 3 : 1;
    int[] chosen = new int[n * corners];
    for (int i = 0; i < n; i++) {
      int c = in.correspondences()[i];
      int[] at = in.isComplicated() ? model.triangles()[c] : new int[] {c};
      System.arraycopy(at, 0, chosen, i * corners, corners);
    }
    this.vertices = Tensor.of(chosen);
    int[][] angles = angles(bones);
    this.angleX = Tensor.of(angles[0]);
    this.angleZ = Tensor.of(angles[1]);
    this.eulerBasis = Tensors.of(dtype, eulerBasis(), 9, 16);
    findLevels(model.parents());

    int extra = in.isComplicated() ? 2 : 0;
    this.columns = HandInstance.THETA + extra;
    double[] dTheta = new double[columns * HandInstance.THETA];
    double[] dUs = new double[columns * 2 * n];
    for (int c = 0; c < columns; c++) {
      if (c < extra) {
        for (int i = 0; i < n; i++) {
          dUs[(c * n + i) * 2 + c] = 1;
        }
      } else {
        dTheta[c * HandInstance.THETA + c - extra] = 1;
      }
    }
    this.thetaTangents = Tensors.of(dtype, dTheta, columns, HandInstance.THETA);
    this.usTangents = Tensors.of(dtype, dUs, columns, n, 2);
    this.objective = Ad.jit((Fn2<Tensor, Tensor, Tensor>) (t, u) -> errors(new Pose(t, u)));
    this.jacobian =
        Ad.jit(
            (Fn2<Tensor, Tensor, Tensor>)
                (t, u) -> {
                  Fn2<Tensor, Tensor, Tensor> column =
                      (dt, du) ->
                          Ad.jvp((Fn1<Pose, Tensor>) this::errors, new Pose(t, u), new Pose(dt, du))
                              .tangent();
                  return Ad.vmap(column).apply(thetaTangents, usTangents).t();
                });
  }

  /** What is differentiated. */
  record Pose(Tensor theta, Tensor us) {}

  /** For each bone the places of its two angles in theta, or that of an appended zero. */
  private static int[][] angles(int bones) {
    int[][] at = new int[2][bones];
    Arrays.fill(at[0], HandInstance.THETA);
    Arrays.fill(at[1], HandInstance.THETA);
    int next = 6;
    for (int finger = 0; finger < 5; finger++) {
      for (int joint = 0; joint < 3; joint++) {
        int bone = 2 + 4 * finger + joint;
        at[0][bone] = next++;
        if (joint == 0) {
          at[1][bone] = next++;
        }
      }
    }
    return at;
  }

  /** Rows by which (cz, sz, cx, sx, sz·cx, sz·sx, cz·cx, cz·sx, 1) give the 4x4 matrix of Rz·Rx. */
  private static double[] eulerBasis() {
    double[][] b = new double[9][16];
    b[0][0] = 1;
    b[4][1] = -1;
    b[5][2] = 1;
    b[1][4] = 1;
    b[6][5] = 1;
    b[7][6] = -1;
    b[3][9] = 1;
    b[2][10] = 1;
    b[8][15] = 1;
    return Tensors.join(b);
  }

  /** Row v, column 4·bone + j: skinning weight times homogeneous coordinate j. */
  private static double[] skinning(HandModel m) {
    int bones = m.bones();
    int count = m.vertices();
    double[] a = new double[count * 4 * bones];
    for (int v = 0; v < count; v++) {
      for (int b = 0; b < bones; b++) {
        double w = m.weights()[b * count + v];
        for (int j = 0; j < 4; j++) {
          a[(v * bones + b) * 4 + j] = w * (j < 3 ? m.positions()[3 * v + j] : 1);
        }
      }
    }
    return a;
  }

  /** Bones by their distance from the root: those of one level are posed together. */
  private void findLevels(int[] parents) {
    int[] depth = new int[parents.length];
    int deepest = 0;
    for (int i = 0; i < parents.length; i++) {
      depth[i] = parents[i] < 0 ? 0 : depth[parents[i]] + 1;
      deepest = Math.max(deepest, depth[i]);
    }
    for (int level = 0; level <= deepest; level++) {
      int wanted = level;
      levels.add(
          java.util.stream.IntStream.range(0, parents.length)
              .filter(i -> depth[i] == wanted)
              .toArray());
    }
  }

  private Tensor errors(Pose pose) {
    Tensor positions = globalTransform(pose.theta(), skinned(pose.theta()));
    int n = in.correspondences().length;
    Tensor at = positions.take(vertices, 0);
    if (in.isComplicated()) {
      Tensor corner = at.reshape(n, 3, 3);
      Tensor u = pose.us().slice(1, 0, 1);
      Tensor v = pose.us().slice(1, 1, 2);
      at =
          corner
              .slice(1, 0, 1)
              .reshape(n, 3)
              .mul(u)
              .add(corner.slice(1, 1, 2).reshape(n, 3).mul(v))
              .add(corner.slice(1, 2, 3).reshape(n, 3).mul(u.rsub(1).sub(v)));
    }
    return points.sub(at).flatten();
  }

  /** Vertex positions (vertices, 3) before the global transform. */
  private Tensor skinned(Tensor theta) {
    int bones = in.model().bones();
    Tensor angles = theta.pad(new int[] {0}, new int[] {1}, 0);
    Tensor x = angles.take(angleX, 0);
    Tensor z = angles.take(angleZ, 0);
    Tensor cx = x.cos();
    Tensor sx = x.sin();
    Tensor cz = z.cos();
    Tensor sz = z.sin();
    Tensor parts =
        Tensor.stack(
            1, cz, sz, cx, sx, sz.mul(cx), sz.mul(sx), cz.mul(cx), cz.mul(sx), cx.onesLike());
    Tensor posed = relatives.matmul(parts.matmul(eulerBasis).reshape(bones, 4, 4));
    int[] parents = in.model().parents();
    int[] place = new int[bones];
    int done = 0;
    List<Tensor> absolutes = new ArrayList<>();
    Tensor above = null;
    int[] upper = new int[0];
    for (int[] level : levels) {
      Tensor relative = posed.take(Tensor.of(level), 0);
      int[] up = upper;
      Tensor absolute =
          above == null
              ? relative
              : above
                  .take(
                      Tensor.of(Arrays.stream(level).map(b -> indexOf(up, parents[b])).toArray()),
                      0)
                  .matmul(relative);
      absolutes.add(absolute);
      for (int b : level) {
        place[b] = done++;
      }
      above = absolute;
      upper = level;
    }
    Tensor all = Tensor.concat(0, absolutes.toArray(Tensor[]::new)).take(Tensor.of(place), 0);
    Tensor transforms = all.matmul(inverses).slice(1, 0, 3);
    return skin.matmul(transforms.transpose(0, 2, 1).reshape(4 * bones, 3));
  }

  private static int indexOf(int[] a, int value) {
    for (int i = 0; i < a.length; i++) {
      if (a[i] == value) {
        return i;
      }
    }
    throw new IllegalArgumentException("[hand] bone " + value + " is not on the level above");
  }

  /**
   * Rotation about an axis by its length (no rotation below 1e-4, as in ADBench), then a
   * translation.
   */
  private Tensor globalTransform(Tensor theta, Tensor positions) {
    Tensor axis = theta.slice(0, 0, 3);
    Tensor square = axis.square().sum();
    Tensor isSmall = square.lt(SMALL * SMALL);
    Tensor norm = isSmall.where(square.onesLike(), square).sqrt();
    Tensor a = axis.div(norm);
    Tensor c = norm.cos();
    Tensor as = a.mul(norm.sin());
    // R = c·1 + s·[a]ₓ + (1-c)·a·aᵀ
    Tensor cross = Tensor.of(crossBasis(), 3, 9).cast(dtype);
    Tensor r =
        Tensor.eye(dtype, 3)
            .mul(c)
            .add(as.matmul(cross).reshape(3, 3))
            .add(a.outer(a).mul(c.rsub(1)));
    Tensor turn = isSmall.where(Tensor.eye(dtype, 3), r);
    return positions.matmul(turn.t()).add(theta.slice(0, 3, 6));
  }

  /** Rows by which (a₁, a₂, a₃) gives the 3x3 matrix of the cross product with a. */
  private static double[] crossBasis() {
    double[] b = new double[27];
    b[5] = -1;
    b[7] = 1;
    b[9 + 2] = 1;
    b[9 + 6] = -1;
    b[18 + 1] = -1;
    b[18 + 3] = 1;
    return b;
  }

  @Override
  public String describe() {
    return "hand with "
        + in.correspondences().length
        + " points, "
        + in.model().vertices()
        + " vertices, "
        + columns
        + " parameters";
  }

  @Override
  public double[] objective() {
    return Tensors.take(objective.apply(theta, us));
  }

  @Override
  public double[] derivative() {
    return Tensors.take(jacobian.apply(theta, us));
  }

  @Override
  public void writeObjective(Path file, double[] values) {
    AdbenchFormat.writeColumn(file, values);
  }

  @Override
  public void writeDerivative(Path file, double[] derivative) {
    AdbenchFormat.writeDense(file, derivative, columns);
  }

  @Override
  public double[] readDerivative(Path file) {
    return Tensors.read(file, 3 * in.correspondences().length * columns);
  }
}
