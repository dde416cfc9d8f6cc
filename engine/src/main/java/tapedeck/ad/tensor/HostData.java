package tapedeck.ad.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.SourceLine;

/** Copies between Java arrays and tensors; elements are little endian. */
final class HostData {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private HostData() {}

  static Tensor upload(DType dtype, Shape shape, MemorySegment data, String device) {
    Aval aval = new Aval(dtype, shape);
    if (data.byteSize() != aval.bytes()) {
      throw SourceLine.at(
          new ShapeException(
              "[tensor] "
                  + aval
                  + " needs "
                  + shape.size()
                  + " elements, the data has "
                  + data.byteSize() / dtype.bytes()));
    }
    return Tensor.concrete(aval, Evaluator.instance().upload(aval, data, device));
  }

  static Tensor upload(float[] data, Shape shape) {
    MemorySegment s = MemorySegment.ofArray(new byte[Math.multiplyExact(data.length, 4)]);
    MemorySegment.copy(data, 0, s, FLOAT, 0, data.length);
    return upload(DType.FLOAT32, shape, s, "");
  }

  static Tensor upload(double[] data, Shape shape) {
    MemorySegment s = MemorySegment.ofArray(new byte[Math.multiplyExact(data.length, 8)]);
    MemorySegment.copy(data, 0, s, DOUBLE, 0, data.length);
    return upload(DType.FLOAT64, shape, s, "");
  }

  static Tensor upload(int[] data, Shape shape) {
    MemorySegment s = MemorySegment.ofArray(new byte[Math.multiplyExact(data.length, 4)]);
    MemorySegment.copy(data, 0, s, INT, 0, data.length);
    return upload(DType.INT32, shape, s, "");
  }

  static Tensor upload(boolean[] data, Shape shape) {
    byte[] b = new byte[data.length];
    for (int i = 0; i < b.length; i++) {
      b[i] = data[i] ? (byte) 1 : 0;
    }
    return upload(DType.BOOL, shape, MemorySegment.ofArray(b), "");
  }

  static float[] flatten(float[][] rows) {
    int n = rows.length == 0 ? 0 : rows[0].length;
    float[] out = new float[rows.length * n];
    for (int i = 0; i < rows.length; i++) {
      checkRow(rows[i].length, n, i);
      System.arraycopy(rows[i], 0, out, i * n, n);
    }
    return out;
  }

  static double[] flatten(double[][] rows) {
    int n = rows.length == 0 ? 0 : rows[0].length;
    double[] out = new double[rows.length * n];
    for (int i = 0; i < rows.length; i++) {
      checkRow(rows[i].length, n, i);
      System.arraycopy(rows[i], 0, out, i * n, n);
    }
    return out;
  }

  private static void checkRow(int length, int expected, int row) {
    if (length != expected) {
      throw SourceLine.at(
          new ShapeException(
              "[tensor] row " + row + " has " + length + " elements, row 0 has " + expected));
    }
  }

  /** All bytes of a concrete tensor. */
  static MemorySegment read(Tensor t) {
    Storage storage = t.storage();
    MemorySegment s = MemorySegment.ofArray(new byte[Math.toIntExact(t.aval().bytes())]);
    storage.read(s);
    return s;
  }

  private static MemorySegment read(Tensor t, DType wanted, String method) {
    if (t.dtype() != wanted) {
      throw SourceLine.at(
          new DTypeException(
              "[" + method + "] needs " + wanted + ", not " + t.aval() + "; use cast"));
    }
    return read(t);
  }

  static float[] floats(Tensor t) {
    return decode(read(t, DType.FLOAT32, "toFloatArray"));
  }

  private static float[] decode(MemorySegment s) {
    float[] out = new float[(int) (s.byteSize() / 4)];
    MemorySegment.copy(s, FLOAT, 0, out, 0, out.length);
    return out;
  }

  static int[] ints(Tensor t) {
    MemorySegment s = read(t, DType.INT32, "toIntArray");
    int[] out = new int[(int) (s.byteSize() / 4)];
    MemorySegment.copy(s, INT, 0, out, 0, out.length);
    return out;
  }

  static boolean[] booleans(Tensor t) {
    MemorySegment s = read(t, DType.BOOL, "toBooleanArray");
    boolean[] out = new boolean[(int) s.byteSize()];
    for (int i = 0; i < out.length; i++) {
      out[i] = s.get(ValueLayout.JAVA_BYTE, i) != 0;
    }
    return out;
  }

  static double[] doubles(Tensor t) {
    MemorySegment s = read(t);
    int n = Math.toIntExact(t.size());
    double[] out = new double[n];
    for (int i = 0; i < n; i++) {
      out[i] =
          switch (t.dtype()) {
            case FLOAT32 -> s.get(FLOAT, 4L * i);
            case FLOAT64 -> s.get(DOUBLE, 8L * i);
            case INT32 -> s.get(INT, 4L * i);
            case BOOL -> s.get(ValueLayout.JAVA_BYTE, i);
          };
    }
    return out;
  }
}
