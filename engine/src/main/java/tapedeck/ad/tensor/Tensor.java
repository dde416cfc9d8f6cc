package tapedeck.ad.tensor;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TapedeckException;
import tapedeck.ad.type.TracingException;

/**
 * Immutable array of numbers with a shape, an element type and a device; row-major. Binary
 * operations broadcast as in NumPy and want operands of one element type; a {@code double} operand
 * takes the type of the tensor. Axes may be negative. Outside of transforms an operation runs at
 * once on its operands' device; inside, it is recorded. Only methods that return Java values
 * ({@link #item}, {@link #toFloatArray} and kin) wait for the device.
 *
 * <p>Every operation throws {@link ShapeException} or {@link DTypeException} with the operation,
 * the shapes and the caller's source line if its operands do not fit, and {@link ClosedException}
 * if one is closed.
 */
public final class Tensor extends TensorMath implements AutoCloseable {
  private final Aval aval;
  private final Tracer tracer;
  private final Object variable;
  private final Op pending;
  private volatile Storage storage;
  private boolean closed;

  private Tensor(Aval aval, Tracer tracer, Object variable, Storage storage, Op pending) {
    this.aval = aval;
    this.tracer = tracer;
    this.variable = variable;
    this.storage = storage;
    this.pending = pending;
  }

  // ---- construction by the engine -------------------------------------------------------------

  /** A concrete tensor that owns its storage. */
  public static Tensor concrete(Aval aval, Storage storage) {
    return new Tensor(aval, null, null, storage, null);
  }

  /** A traced tensor: variable {@code variable} of the tape that {@code tracer} builds. */
  public static Tensor traced(Aval aval, Tracer tracer, Object variable) {
    return new Tensor(aval, tracer, variable, null, null);
  }

  /**
   * A concrete tensor that an operation without operands describes; it gets memory only when
   * needed.
   */
  static Tensor deferred(Op op) {
    return new Tensor(op.result(List.of()), null, null, null, op);
  }

  /** Applies a primitive with one result. */
  public static Tensor apply(Op op, Tensor... operands) {
    return bind(op, Arrays.asList(operands)).get(0);
  }

  /**
   * Applies a primitive: records it with the innermost tracer among the operands, or evaluates it.
   */
  public static List<Tensor> bind(Primitive primitive, List<Tensor> operands) {
    Tracer tracer = null;
    List<Aval> in = new ArrayList<>(operands.size());
    for (Tensor t : operands) {
      in.add(t.aval);
      if (t.isClosed()) {
        throw SourceLine.at(
            new ClosedException("[" + primitive.label() + "] operand " + t.aval + " is closed"));
      }
      if (t.tracer != null && (tracer == null || t.tracer.id() > tracer.id())) {
        tracer = t.tracer;
      }
    }
    List<Aval> out;
    try {
      out = primitive.infer(in);
    } catch (TapedeckException e) {
      throw SourceLine.at(e);
    }
    if (tracer != null) {
      return tracer.record(primitive, operands, out);
    }
    if (operands.isEmpty()) {
      return List.of(deferred((Op) primitive));
    }
    return Evaluator.instance().evaluate(primitive, operands, out);
  }

  // ---- factories ------------------------------------------------------------------------------

  /** A float32 vector. */
  public static Tensor of(float... data) {
    return of(data, data.length);
  }

  /** A float64 vector. */
  public static Tensor of(double... data) {
    return of(data, data.length);
  }

  /** An int32 vector. */
  public static Tensor of(int... data) {
    return of(data, data.length);
  }

  /** A bool vector. */
  public static Tensor of(boolean... data) {
    return HostData.upload(data, Shape.of(data.length));
  }

  /** A float32 tensor of the given shape from row-major data, which is copied. */
  public static Tensor of(float[] data, int... dims) {
    return HostData.upload(data, Shape.of(dims));
  }

  /** A float64 tensor of the given shape from row-major data, which is copied. */
  public static Tensor of(double[] data, int... dims) {
    return HostData.upload(data, Shape.of(dims));
  }

  /** An int32 tensor of the given shape from row-major data, which is copied. */
  public static Tensor of(int[] data, int... dims) {
    return HostData.upload(data, Shape.of(dims));
  }

  /** A float32 matrix; all rows must have one length. */
  public static Tensor of(float[][] rows) {
    return HostData.upload(
        HostData.flatten(rows), Shape.of(rows.length, rows.length == 0 ? 0 : rows[0].length));
  }

  /** A float64 matrix; all rows must have one length. */
  public static Tensor of(double[][] rows) {
    return HostData.upload(
        HostData.flatten(rows), Shape.of(rows.length, rows.length == 0 ? 0 : rows[0].length));
  }

  /** A tensor from {@code shape.size()} little-endian elements, which are copied. */
  public static Tensor fromSegment(DType dtype, Shape shape, MemorySegment data) {
    return HostData.upload(dtype, shape, data, "");
  }

  /** A float32 scalar. */
  public static Tensor scalar(float v) {
    return scalar(DType.FLOAT32, v);
  }

  /** A float64 scalar. */
  public static Tensor scalar(double v) {
    return scalar(DType.FLOAT64, v);
  }

  /** An int32 scalar. */
  public static Tensor scalar(int v) {
    return scalar(DType.INT32, v);
  }

  /** A scalar of any type. */
  public static Tensor scalar(DType dtype, double v) {
    return full(dtype, Shape.SCALAR, v);
  }

  public static Tensor full(DType dtype, Shape shape, double v) {
    return deferred(new Full(dtype, shape, dtype.round(v)));
  }

  public static Tensor full(DType dtype, double v, int... dims) {
    return full(dtype, Shape.of(dims), v);
  }

  public static Tensor zeros(DType dtype, int... dims) {
    return full(dtype, Shape.of(dims), 0);
  }

  public static Tensor ones(DType dtype, int... dims) {
    return full(dtype, Shape.of(dims), 1);
  }

  /** 0, 1, ... n-1. */
  public static Tensor arange(DType dtype, int n) {
    return iota(dtype, Shape.of(n), 0);
  }

  /** Each element's position along an axis. */
  public static Tensor iota(DType dtype, Shape shape, int axis) {
    return deferred(new Iota(dtype, shape, shape.axis("iota", axis)));
  }

  /** The identity matrix (n, n). */
  public static Tensor eye(DType dtype, int n) {
    Shape s = Shape.of(n, n);
    return iota(DType.INT32, s, 0).eq(iota(DType.INT32, s, 1)).cast(dtype);
  }

  /** Joins tensors along an axis; they must agree in all others. */
  public static Tensor concat(int axis, Tensor... parts) {
    if (parts.length == 0) {
      throw SourceLine.at(new ShapeException("[concat] needs at least one operand"));
    }
    int a = axisOf("concat", parts[0], axis);
    return parts.length == 1 ? parts[0] : apply(new Movement.Concatenate(a), parts);
  }

  /** Joins tensors of one shape along a new axis. */
  public static Tensor stack(int axis, Tensor... parts) {
    if (parts.length == 0) {
      throw SourceLine.at(new ShapeException("[stack] needs at least one operand"));
    }
    Tensor[] rows = new Tensor[parts.length];
    for (int i = 0; i < parts.length; i++) {
      rows[i] = parts[i].expandDims(axis);
    }
    return concat(axis < 0 ? axis + rows[0].rank() : axis, rows);
  }

  // ---- information ----------------------------------------------------------------------------

  public Aval aval() {
    return aval;
  }

  @Override
  public Shape shape() {
    return aval.shape();
  }

  @Override
  public DType dtype() {
    return aval.dtype();
  }

  @Override
  public int rank() {
    return aval.rank();
  }

  @Override
  public long size() {
    return aval.shape().size();
  }

  /** Extent of an axis. */
  public int dim(int axis) {
    return aval.shape().dim(axisOf("dim", this, axis));
  }

  /** Whether this stands for a variable inside a transform. */
  public boolean isTraced() {
    return tracer != null;
  }

  /** The tracer, or null for a concrete tensor. */
  public Tracer tracer() {
    return tracer;
  }

  /** The tracer's variable, or null for a concrete tensor. */
  public Object variable() {
    return variable;
  }

  /** The operation that describes a concrete tensor which may have no memory yet, or null. */
  public Op pending() {
    return pending;
  }

  /** Whether this was closed, by itself, by a scope or because a call took its memory over. */
  public boolean isClosed() {
    Storage s = storage;
    return closed || (s != null && s.isClosed());
  }

  /** Name of the device that holds the value; empty while a constant has no memory. */
  public String device() {
    Storage s = storage;
    return s == null ? "" : s.device();
  }

  /**
   * Storage of a concrete tensor; a deferred constant is given memory now.
   *
   * @throws TracingException if this is traced
   * @throws ClosedException if this is closed
   */
  public Storage storage() {
    if (tracer != null) {
      throw SourceLine.at(
          new TracingException(
              "[value] a traced tensor "
                  + aval
                  + " has no value while its function is traced;"
                  + " choose between values with where(), and read results outside of the transform"));
    }
    if (isClosed()) {
      throw SourceLine.at(new ClosedException("[value] tensor " + aval + " is closed"));
    }
    Storage s = storage;
    if (s == null) {
      synchronized (this) {
        s = storage;
        if (s == null) {
          s = Evaluator.instance().evaluate(pending, List.of(), List.of(aval)).get(0).storage();
          storage = s;
        }
      }
    }
    return s;
  }

  /** A copy on the device of this name; this tensor itself if it is there already. */
  public Tensor to(String device) {
    if (storage().device().equals(device)) {
      return this;
    }
    return concrete(aval, Evaluator.instance().upload(aval, HostData.read(this), device));
  }

  /**
   * Frees the memory now instead of when the tensor is collected. Closing twice, or a traced
   * tensor, does nothing.
   */
  @Override
  public void close() {
    if (tracer == null) {
      closed = true;
      Storage s = storage;
      if (s != null) {
        s.close();
      }
    }
  }

  // ---- host access ----------------------------------------------------------------------------

  /** All elements in row-major order; the type must be float32. */
  public float[] toFloatArray() {
    return HostData.floats(this);
  }

  /** All elements in row-major order, converted from any type. */
  public double[] toDoubleArray() {
    return HostData.doubles(this);
  }

  /** All elements in row-major order; the type must be int32. */
  public int[] toIntArray() {
    return HostData.ints(this);
  }

  /** All elements in row-major order; the type must be bool. */
  public boolean[] toBooleanArray() {
    return HostData.booleans(this);
  }

  /** Copies all elements, little endian and row-major; {@code dst} must have exactly their size. */
  public void copyTo(MemorySegment dst) {
    if (dst.byteSize() != aval.bytes()) {
      throw SourceLine.at(
          new ShapeException(
              "[copyTo] "
                  + aval
                  + " has "
                  + aval.bytes()
                  + " bytes, the segment "
                  + dst.byteSize()));
    }
    storage().read(dst);
  }

  /**
   * The value of a tensor with one element.
   *
   * @throws ShapeException if there is not exactly one
   * @throws TracingException if this is traced
   */
  public double item() {
    if (size() != 1) {
      throw SourceLine.at(new ShapeException("[item] needs one element, not " + aval));
    }
    return HostData.doubles(this)[0];
  }

  // ---- reductions, products, indices ----------------------------------------------------------

  /** Reduces over some axes (none given: all); kept axes have extent 1 if {@code keepDims}. */
  Tensor reduce(Reducer reducer, boolean keepDims, int... axes) {
    List<Integer> a = axesOf("reduce", axes);
    Tensor r = a.isEmpty() ? this : apply(new Reduce(reducer, a), this);
    if (!keepDims) {
      return r;
    }
    int[] d = shape().dims();
    a.forEach(i -> d[i] = 1);
    return r.reshape(Shape.of(d));
  }

  /**
   * Matrix product with broadcast batch axes. (..., m, k) x (..., k, n) gives (..., m, n); a vector
   * operand is a row on the left or a column on the right, and its axis is dropped from the result.
   */
  public Tensor matmul(Tensor o) {
    if (rank() == 0 || o.rank() == 0) {
      throw SourceLine.at(
          new ShapeException("[matmul] a scalar operand: " + shape() + " x " + o.shape()));
    }
    if (rank() == 1) {
      Tensor r = expandDims(0).matmul(o);
      return r.squeeze(o.rank() == 1 ? 0 : r.rank() - 2);
    }
    if (o.rank() == 1) {
      Tensor r = matmul(o.expandDims(1));
      return r.squeeze(r.rank() - 1);
    }
    Shape batch = Shape.broadcast(batchOf(shape()), batchOf(o.shape()));
    if (batch == null) {
      throw SourceLine.at(
          new ShapeException(
              "[matmul] batch axes do not broadcast: " + shape() + " x " + o.shape()));
    }
    return apply(new Matmul(), withBatch(batch), o.withBatch(batch));
  }

  private static Shape batchOf(Shape s) {
    return Shape.of(Arrays.copyOf(s.dims(), s.rank() - 2));
  }

  private Tensor withBatch(Shape batch) {
    return broadcastTo(
        batch.with(batch.rank(), shape().dim(-2)).with(batch.rank() + 1, shape().dim(-1)));
  }

  /**
   * Slices along an axis, picked by int32 indices of any shape, which replaces that axis. Indices
   * are clamped into range.
   */
  public Tensor take(Tensor indices, int axis) {
    int a = axisOf("take", this, axis);
    Tensor flat = apply(new Take(a), this, indices.rank() == 1 ? indices : indices.flatten());
    if (indices.rank() == 1) {
      return flat;
    }
    Shape s = shape().without(a);
    for (int i = 0; i < indices.rank(); i++) {
      s = s.with(a + i, indices.dim(i));
    }
    return flat.reshape(s);
  }

  /**
   * Adjoint of {@link #take} for a vector of indices: this tensor's slices along {@code axis} are
   * added to {@code size} zeros at the (clamped) indices, in order.
   */
  public Tensor scatterAdd(Tensor indices, int axis, int size) {
    return apply(new ScatterAdd(axisOf("scatterAdd", this, axis), size), this, indices);
  }

  /** Elements converted to another type; see {@link tapedeck.ad.kir.ScalarOp#CAST}. */
  public Tensor cast(DType to) {
    return to == dtype() ? this : apply(new Cast(to), this);
  }

  /** The same value with derivative zero. */
  public Tensor stopGradient() {
    return apply(new StopGradient(), this);
  }

  // ---- helpers --------------------------------------------------------------------------------

  static int axisOf(String op, Tensor t, int axis) {
    try {
      return t.shape().axis(op, axis);
    } catch (ShapeException e) {
      throw SourceLine.at(e);
    }
  }

  @Override
  Tensor self() {
    return this;
  }

  /** Type, shape and device; the values are not read. */
  @Override
  public String toString() {
    return "Tensor " + aval + (tracer != null ? " traced" : isClosed() ? " closed" : "");
  }
}
