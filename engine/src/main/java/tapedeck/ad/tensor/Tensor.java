package tapedeck.ad.tensor;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
public final class Tensor extends TensorReductions implements AutoCloseable {
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

  /**
   * {@return a tensor that owns its storage}
   *
   * @param aval type and shape of the value
   * @param storage memory with the value, which nothing else closes
   */
  public static Tensor concrete(Aval aval, Storage storage) {
    return new Tensor(aval, null, null, storage, null);
  }

  /**
   * {@return a traced tensor, which has no value}
   *
   * @param aval type and shape of the variable
   * @param tracer the trace that the variable belongs to
   * @param variable what the tracer knows the variable by
   */
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

  /**
   * {@return the only result of a primitive}
   *
   * @param op what is applied
   * @param operands as many tensors as the primitive takes
   */
  public static Tensor apply(Op op, Tensor... operands) {
    return bind(op, Arrays.asList(operands)).get(0);
  }

  /**
   * Applies a primitive: records it with the innermost tracer among the operands, or evaluates it.
   *
   * @param primitive what is applied
   * @param operands as many tensors as the primitive takes
   * @return its results, traced if an operand is
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

  /**
   * {@return a float32 vector}
   *
   * @param data elements, which are copied to the default device
   */
  public static Tensor of(float... data) {
    return of(data, data.length);
  }

  /**
   * {@return a float64 vector}
   *
   * @param data elements, which are copied to the default device
   */
  public static Tensor of(double... data) {
    return of(data, data.length);
  }

  /**
   * {@return an int32 vector}
   *
   * @param data elements, which are copied to the default device
   */
  public static Tensor of(int... data) {
    return of(data, data.length);
  }

  /**
   * {@return a bool vector}
   *
   * @param data elements, which are copied to the default device
   */
  public static Tensor of(boolean... data) {
    return HostData.upload(data, Shape.of(data.length));
  }

  /**
   * {@return a float32 tensor}
   *
   * @param data elements in row-major order, which are copied to the default device
   * @param dims extents, whose product is the number of elements
   */
  public static Tensor of(float[] data, int... dims) {
    return HostData.upload(data, Shape.of(dims));
  }

  /**
   * {@return a float64 tensor}
   *
   * @param data elements in row-major order, which are copied to the default device
   * @param dims extents, whose product is the number of elements
   */
  public static Tensor of(double[] data, int... dims) {
    return HostData.upload(data, Shape.of(dims));
  }

  /**
   * {@return an int32 tensor}
   *
   * @param data elements in row-major order, which are copied to the default device
   * @param dims extents, whose product is the number of elements
   */
  public static Tensor of(int[] data, int... dims) {
    return HostData.upload(data, Shape.of(dims));
  }

  /**
   * {@return a float32 matrix}
   *
   * @param rows rows of one length, which are copied to the default device
   */
  public static Tensor of(float[][] rows) {
    return HostData.upload(
        HostData.flatten(rows), Shape.of(rows.length, rows.length == 0 ? 0 : rows[0].length));
  }

  /**
   * {@return a float64 matrix}
   *
   * @param rows rows of one length, which are copied to the default device
   */
  public static Tensor of(double[][] rows) {
    return HostData.upload(
        HostData.flatten(rows), Shape.of(rows.length, rows.length == 0 ? 0 : rows[0].length));
  }

  /**
   * {@return a tensor from elements in memory}
   *
   * @param dtype element type; a bool is one byte, 0 or 1
   * @param shape extents
   * @param data {@code shape.size()} little-endian elements, which are copied to the default device
   */
  public static Tensor fromSegment(DType dtype, Shape shape, MemorySegment data) {
    return HostData.upload(dtype, shape, data, "");
  }

  /**
   * {@return a float32 scalar}
   *
   * @param v its value
   */
  public static Tensor scalar(float v) {
    return scalar(DType.FLOAT32, v);
  }

  /**
   * {@return a float64 scalar}
   *
   * @param v its value
   */
  public static Tensor scalar(double v) {
    return scalar(DType.FLOAT64, v);
  }

  /**
   * {@return an int32 scalar}
   *
   * @param v its value
   */
  public static Tensor scalar(int v) {
    return scalar(DType.INT32, v);
  }

  /**
   * {@return a scalar of any type}
   *
   * @param dtype element type
   * @param v its value, rounded to the type; see {@link DType#round}
   */
  public static Tensor scalar(DType dtype, double v) {
    return full(dtype, Shape.SCALAR, v);
  }

  /**
   * {@return a constant, which gets memory only when its value is needed}
   *
   * @param dtype element type
   * @param shape extents
   * @param v every element, rounded to the type; see {@link DType#round}
   */
  public static Tensor full(DType dtype, Shape shape, double v) {
    return deferred(new Full(dtype, shape, dtype.round(v)));
  }

  /**
   * {@return a constant, which gets memory only when its value is needed}
   *
   * @param dtype element type
   * @param v every element, rounded to the type; see {@link DType#round}
   * @param dims extents, none for a scalar
   */
  public static Tensor full(DType dtype, double v, int... dims) {
    return full(dtype, Shape.of(dims), v);
  }

  /**
   * {@return a constant 0, or false}
   *
   * @param dtype element type
   * @param dims extents, none for a scalar
   */
  public static Tensor zeros(DType dtype, int... dims) {
    return full(dtype, Shape.of(dims), 0);
  }

  /**
   * {@return a constant 1, or true}
   *
   * @param dtype element type
   * @param dims extents, none for a scalar
   */
  public static Tensor ones(DType dtype, int... dims) {
    return full(dtype, Shape.of(dims), 1);
  }

  /**
   * {@return the vector 0, 1, ... n-1}
   *
   * @param dtype float or int32
   * @param n number of elements, 0 or more
   */
  public static Tensor arange(DType dtype, int n) {
    return iota(dtype, Shape.of(n), 0);
  }

  /**
   * {@return each element's position along an axis}
   *
   * @param dtype float or int32
   * @param shape extents of the result
   * @param axis the axis along which the elements count
   */
  public static Tensor iota(DType dtype, Shape shape, int axis) {
    return deferred(new Iota(dtype, shape, shape.axis("iota", axis)));
  }

  /**
   * {@return the identity matrix (n, n)}
   *
   * @param dtype any type
   * @param n number of rows, 0 or more
   */
  public static Tensor eye(DType dtype, int n) {
    Shape s = Shape.of(n, n);
    return iota(DType.INT32, s, 0).eq(iota(DType.INT32, s, 1)).cast(dtype);
  }

  /**
   * {@return tensors joined along an axis}
   *
   * @param axis an axis that all parts have
   * @param parts one or more of one type, which agree on all other axes
   */
  public static Tensor concat(int axis, Tensor... parts) {
    if (parts.length == 0) {
      throw SourceLine.at(new ShapeException("[concat] needs at least one operand"));
    }
    int a = axisOf("concat", parts[0], axis);
    return parts.length == 1 ? parts[0] : apply(new Movement.Concatenate(a), parts);
  }

  /**
   * {@return tensors joined along a new axis}
   *
   * @param axis position of the new axis in the result; -1 for the last
   * @param parts one or more of one type and shape
   */
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

  /** {@return type and shape} */
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

  /**
   * {@return the extent of an axis}
   *
   * @param axis in [-rank, rank)
   */
  public int dim(int axis) {
    return aval.shape().dim(axisOf("dim", this, axis));
  }

  /** {@return whether this stands for a variable inside a transform} */
  public boolean isTraced() {
    return tracer != null;
  }

  /** {@return the tracer, or null for a concrete tensor} */
  public Tracer tracer() {
    return tracer;
  }

  /** {@return the tracer's variable, or null for a concrete tensor} */
  public Object variable() {
    return variable;
  }

  /**
   * {@return the operation that describes a concrete tensor which may have no memory yet, or null}
   */
  public Op pending() {
    return pending;
  }

  /**
   * {@return whether this was closed, by itself, by a scope or because a call took its memory over}
   */
  public boolean isClosed() {
    Storage s = storage;
    return closed || (s != null && s.isClosed());
  }

  /** {@return the name of the device that holds the value; empty while a constant has no memory} */
  public String device() {
    Storage s = storage;
    return s == null ? "" : s.device();
  }

  /**
   * {@return the storage of a concrete tensor; a deferred constant is given memory now}
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

  /**
   * {@return a copy on another device; this tensor itself if it is there already}
   *
   * @param device name of the device
   * @throws tapedeck.ad.type.DeviceException if there is no such device
   * @throws TracingException if this is traced
   */
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

  /** {@return all elements of a float32 tensor in row-major order} */
  public float[] toFloatArray() {
    return HostData.floats(this);
  }

  /** {@return all elements in row-major order, converted from any type; true is 1} */
  public double[] toDoubleArray() {
    return HostData.doubles(this);
  }

  /** {@return all elements of an int32 tensor in row-major order} */
  public int[] toIntArray() {
    return HostData.ints(this);
  }

  /** {@return all elements of a bool tensor in row-major order} */
  public boolean[] toBooleanArray() {
    return HostData.booleans(this);
  }

  /**
   * Waits for the value and copies all elements, little endian and row-major.
   *
   * @param dst memory of exactly their size
   */
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
   * {@return the value of a tensor with one element, converted from any type}
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

  // ---- indices and types ----------------------------------------------------------------------

  /**
   * {@return slices along an axis, picked by indices, whose shape replaces that axis}
   *
   * @param indices int32 of any shape, clamped into range
   * @param axis an axis that is not empty, unless there are no indices
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
   * The adjoint of {@link #take} for a vector of indices.
   *
   * @param indices int32 vector, one index per slice along {@code axis}, clamped into range
   * @param axis axis of this tensor, float or int32, and of the result
   * @param size extent of that axis in the result
   * @return {@code size} zeros along the axis, to which this tensor's slices are added in order
   */
  public Tensor scatterAdd(Tensor indices, int axis, int size) {
    return apply(new ScatterAdd(axisOf("scatterAdd", this, axis), size), this, indices);
  }

  /**
   * {@return the elements converted to another type; see {@link tapedeck.ad.kir.ScalarOp#CAST}}
   *
   * @param to element type of the result; derivatives pass between float types only
   */
  public Tensor cast(DType to) {
    return to == dtype() ? this : apply(new Cast(to), this);
  }

  /** {@return the same value with derivative zero} */
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
