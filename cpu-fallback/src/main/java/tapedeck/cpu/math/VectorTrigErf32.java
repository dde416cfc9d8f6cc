package tapedeck.cpu.math;

import static java.nio.ByteOrder.nativeOrder;
import static tapedeck.cpu.math.Coefficients.COS_F0;
import static tapedeck.cpu.math.Coefficients.COS_F1;
import static tapedeck.cpu.math.Coefficients.COS_F2;
import static tapedeck.cpu.math.Coefficients.COS_F3;
import static tapedeck.cpu.math.Coefficients.ERFC_F0;
import static tapedeck.cpu.math.Coefficients.ERFC_F1;
import static tapedeck.cpu.math.Coefficients.ERFC_F10;
import static tapedeck.cpu.math.Coefficients.ERFC_F11;
import static tapedeck.cpu.math.Coefficients.ERFC_F2;
import static tapedeck.cpu.math.Coefficients.ERFC_F3;
import static tapedeck.cpu.math.Coefficients.ERFC_F4;
import static tapedeck.cpu.math.Coefficients.ERFC_F5;
import static tapedeck.cpu.math.Coefficients.ERFC_F6;
import static tapedeck.cpu.math.Coefficients.ERFC_F7;
import static tapedeck.cpu.math.Coefficients.ERFC_F8;
import static tapedeck.cpu.math.Coefficients.ERFC_F9;
import static tapedeck.cpu.math.Coefficients.ERFC_F_CENTRE;
import static tapedeck.cpu.math.Coefficients.ERFC_F_MAX;
import static tapedeck.cpu.math.Coefficients.ERF_F0;
import static tapedeck.cpu.math.Coefficients.ERF_F1;
import static tapedeck.cpu.math.Coefficients.ERF_F2;
import static tapedeck.cpu.math.Coefficients.ERF_F3;
import static tapedeck.cpu.math.Coefficients.ERF_F4;
import static tapedeck.cpu.math.Coefficients.ERF_F5;
import static tapedeck.cpu.math.Coefficients.ERF_F6;
import static tapedeck.cpu.math.Coefficients.EXP_F0;
import static tapedeck.cpu.math.Coefficients.EXP_F1;
import static tapedeck.cpu.math.Coefficients.EXP_F2;
import static tapedeck.cpu.math.Coefficients.EXP_F3;
import static tapedeck.cpu.math.Coefficients.EXP_F4;
import static tapedeck.cpu.math.Coefficients.EXP_F5;
import static tapedeck.cpu.math.Coefficients.EXP_F_MAX;
import static tapedeck.cpu.math.Coefficients.LN2;
import static tapedeck.cpu.math.Coefficients.LOG2_E;
import static tapedeck.cpu.math.Coefficients.PIO2_1;
import static tapedeck.cpu.math.Coefficients.PIO2_2;
import static tapedeck.cpu.math.Coefficients.ROUND;
import static tapedeck.cpu.math.Coefficients.SIGN;
import static tapedeck.cpu.math.Coefficients.SIN_F0;
import static tapedeck.cpu.math.Coefficients.SIN_F1;
import static tapedeck.cpu.math.Coefficients.SIN_F2;
import static tapedeck.cpu.math.Coefficients.SIN_F3;
import static tapedeck.cpu.math.Coefficients.TRIG_MAX;
import static tapedeck.cpu.math.Coefficients.TWO_OVER_PI;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sine, cosine and error functions on blocks of float32, each in the steps of its namesake in
 * {@link ScalarFloat}: in float64 lanes, rounded once at the end.
 *
 * <p>Each loop is written out although parts are alike: past 18000 nodes, some 45 vector
 * operations, the JIT inlines no call but those of the Vector API itself, and a call boxes its
 * vectors.
 */
final class VectorTrigErf32 {
  private static final VectorSpecies<Double> F64 = DoubleVector.SPECIES_PREFERRED;

  /** As many floats as {@link #F64} has doubles. */
  private static final VectorSpecies<Float> F32 =
      VectorSpecies.of(float.class, VectorShape.forBitSize(F64.vectorBitSize() / 2));

  private VectorTrigErf32() {}

  static void sin(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      DoubleVector x =
          (DoubleVector)
              FloatVector.fromMemorySegment(F32, Memory.ALL, src + i, nativeOrder())
                  .convertShape(VectorOperators.F2D, F64, 0);
      DoubleVector t =
          x.fma(DoubleVector.broadcast(F64, TWO_OVER_PI), DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = t.sub(DoubleVector.broadcast(F64, ROUND)).neg();
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, PIO2_2),
              minus.fma(DoubleVector.broadcast(F64, PIO2_1), x));
      DoubleVector z = r.mul(r);
      DoubleVector s = DoubleVector.broadcast(F64, SIN_F3);
      s = s.fma(z, DoubleVector.broadcast(F64, SIN_F2));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN_F1));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN_F0));
      s = r.mul(z).fma(s, r);
      DoubleVector c = DoubleVector.broadcast(F64, COS_F3);
      c = c.fma(z, DoubleVector.broadcast(F64, COS_F2));
      c = c.fma(z, DoubleVector.broadcast(F64, COS_F1));
      c = c.fma(z, DoubleVector.broadcast(F64, COS_F0));
      c = z.mul(z).fma(c, z.fma(DoubleVector.broadcast(F64, -0.5), DoubleVector.broadcast(F64, 1)));
      LongVector q = t.reinterpretAsLongs();
      VectorMask<Double> odd =
          q.lanewise(VectorOperators.AND, 1).compare(VectorOperators.NE, 0).cast(F64);
      LongVector sign = q.lanewise(VectorOperators.LSHL, 62).lanewise(VectorOperators.AND, SIGN);
      DoubleVector v =
          s.blend(c, odd)
              .reinterpretAsLongs()
              .lanewise(VectorOperators.XOR, sign)
              .reinterpretAsDoubles();
      v = v.blend(x, x.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 0)));
      VectorMask<Double> large =
          x.abs().compare(VectorOperators.GT, DoubleVector.broadcast(F64, TRIG_MAX));
      if (large.anyTrue()) {
        v = sinEach(x, v, large.toLong());
      }
      ((FloatVector) v.convertShape(VectorOperators.D2F, F32, 0))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarMath.sin(Memory.getFloat(src + i)));
    }
  }

  static void cos(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      DoubleVector x =
          (DoubleVector)
              FloatVector.fromMemorySegment(F32, Memory.ALL, src + i, nativeOrder())
                  .convertShape(VectorOperators.F2D, F64, 0);
      DoubleVector t =
          x.fma(DoubleVector.broadcast(F64, TWO_OVER_PI), DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = t.sub(DoubleVector.broadcast(F64, ROUND)).neg();
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, PIO2_2),
              minus.fma(DoubleVector.broadcast(F64, PIO2_1), x));
      DoubleVector z = r.mul(r);
      DoubleVector s = DoubleVector.broadcast(F64, SIN_F3);
      s = s.fma(z, DoubleVector.broadcast(F64, SIN_F2));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN_F1));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN_F0));
      s = r.mul(z).fma(s, r);
      DoubleVector c = DoubleVector.broadcast(F64, COS_F3);
      c = c.fma(z, DoubleVector.broadcast(F64, COS_F2));
      c = c.fma(z, DoubleVector.broadcast(F64, COS_F1));
      c = c.fma(z, DoubleVector.broadcast(F64, COS_F0));
      c = z.mul(z).fma(c, z.fma(DoubleVector.broadcast(F64, -0.5), DoubleVector.broadcast(F64, 1)));
      LongVector q = t.reinterpretAsLongs().add(1);
      VectorMask<Double> odd =
          q.lanewise(VectorOperators.AND, 1).compare(VectorOperators.NE, 0).cast(F64);
      LongVector sign = q.lanewise(VectorOperators.LSHL, 62).lanewise(VectorOperators.AND, SIGN);
      DoubleVector v =
          s.blend(c, odd)
              .reinterpretAsLongs()
              .lanewise(VectorOperators.XOR, sign)
              .reinterpretAsDoubles();
      VectorMask<Double> large =
          x.abs().compare(VectorOperators.GT, DoubleVector.broadcast(F64, TRIG_MAX));
      if (large.anyTrue()) {
        v = cosEach(x, v, large.toLong());
      }
      ((FloatVector) v.convertShape(VectorOperators.D2F, F32, 0))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarMath.cos(Memory.getFloat(src + i)));
    }
  }

  static void erf(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      DoubleVector x =
          (DoubleVector)
              FloatVector.fromMemorySegment(F32, Memory.ALL, src + i, nativeOrder())
                  .convertShape(VectorOperators.F2D, F64, 0);
      DoubleVector a = x.abs();
      a =
          a.blend(
              DoubleVector.broadcast(F64, ERFC_F_MAX),
              a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, ERFC_F_MAX)));
      DoubleVector y =
          a.sub(DoubleVector.broadcast(F64, ERFC_F_CENTRE))
              .div(a.add(DoubleVector.broadcast(F64, ERFC_F_CENTRE)));
      DoubleVector g = DoubleVector.broadcast(F64, ERFC_F11);
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F10));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F9));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F8));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F7));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F6));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F5));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F4));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F3));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F2));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F1));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F0));
      DoubleVector square = a.mul(a).neg();
      DoubleVector t =
          square.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector r =
          t.sub(DoubleVector.broadcast(F64, ROUND))
              .neg()
              .fma(DoubleVector.broadcast(F64, LN2), square);
      DoubleVector w = DoubleVector.broadcast(F64, EXP_F5);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F0));
      DoubleVector e =
          r.mul(r)
              .fma(w, r)
              .add(DoubleVector.broadcast(F64, 1))
              .mul(
                  t.reinterpretAsLongs()
                      .add(1023)
                      .lanewise(VectorOperators.LSHL, 52)
                      .reinterpretAsDoubles());
      e =
          e.blend(
              DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY),
              square.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_F_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, 0),
              square.compare(VectorOperators.LT, DoubleVector.broadcast(F64, -EXP_F_MAX)));
      DoubleVector far =
          g.div(a.fma(DoubleVector.broadcast(F64, 2), DoubleVector.broadcast(F64, 1))).mul(e);
      far = DoubleVector.broadcast(F64, 1).sub(far);
      far =
          far.abs()
              .reinterpretAsLongs()
              .lanewise(
                  VectorOperators.OR, x.reinterpretAsLongs().lanewise(VectorOperators.AND, SIGN))
              .reinterpretAsDoubles();
      DoubleVector z = x.mul(x);
      DoubleVector p = DoubleVector.broadcast(F64, ERF_F6);
      p = p.fma(z, DoubleVector.broadcast(F64, ERF_F5));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF_F4));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF_F3));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF_F2));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF_F1));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF_F0));
      DoubleVector v =
          far.blend(x.mul(p), x.abs().compare(VectorOperators.LT, DoubleVector.broadcast(F64, 1)));
      ((FloatVector) v.convertShape(VectorOperators.D2F, F32, 0))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarMath.erf(Memory.getFloat(src + i)));
    }
  }

  static void erfc(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      DoubleVector x =
          (DoubleVector)
              FloatVector.fromMemorySegment(F32, Memory.ALL, src + i, nativeOrder())
                  .convertShape(VectorOperators.F2D, F64, 0);
      DoubleVector a = x.abs();
      a =
          a.blend(
              DoubleVector.broadcast(F64, ERFC_F_MAX),
              a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, ERFC_F_MAX)));
      DoubleVector y =
          a.sub(DoubleVector.broadcast(F64, ERFC_F_CENTRE))
              .div(a.add(DoubleVector.broadcast(F64, ERFC_F_CENTRE)));
      DoubleVector g = DoubleVector.broadcast(F64, ERFC_F11);
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F10));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F9));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F8));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F7));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F6));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F5));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F4));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F3));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F2));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F1));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC_F0));
      DoubleVector square = a.mul(a).neg();
      DoubleVector t =
          square.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector r =
          t.sub(DoubleVector.broadcast(F64, ROUND))
              .neg()
              .fma(DoubleVector.broadcast(F64, LN2), square);
      DoubleVector w = DoubleVector.broadcast(F64, EXP_F5);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F0));
      DoubleVector e =
          r.mul(r)
              .fma(w, r)
              .add(DoubleVector.broadcast(F64, 1))
              .mul(
                  t.reinterpretAsLongs()
                      .add(1023)
                      .lanewise(VectorOperators.LSHL, 52)
                      .reinterpretAsDoubles());
      e =
          e.blend(
              DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY),
              square.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_F_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, 0),
              square.compare(VectorOperators.LT, DoubleVector.broadcast(F64, -EXP_F_MAX)));
      DoubleVector far =
          g.div(a.fma(DoubleVector.broadcast(F64, 2), DoubleVector.broadcast(F64, 1))).mul(e);
      DoubleVector v =
          far.blend(
              DoubleVector.broadcast(F64, 2).sub(far),
              x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, 0)));
      ((FloatVector) v.convertShape(VectorOperators.D2F, F32, 0))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarMath.erfc(Memory.getFloat(src + i)));
    }
  }

  private static DoubleVector sinEach(DoubleVector x, DoubleVector v, long lanes) {
    double[] in = x.toArray();
    double[] out = v.toArray();
    for (int i = 0; i < in.length; i++) {
      if ((lanes >>> i & 1) != 0) {
        out[i] = StrictMath.sin(in[i]);
      }
    }
    return DoubleVector.fromArray(F64, out, 0);
  }

  private static DoubleVector cosEach(DoubleVector x, DoubleVector v, long lanes) {
    double[] in = x.toArray();
    double[] out = v.toArray();
    for (int i = 0; i < in.length; i++) {
      if ((lanes >>> i & 1) != 0) {
        out[i] = StrictMath.cos(in[i]);
      }
    }
    return DoubleVector.fromArray(F64, out, 0);
  }
}
