package tapedeck.cpu.math;

import static java.nio.ByteOrder.nativeOrder;
import static tapedeck.cpu.math.Coefficients.EXP_F0;
import static tapedeck.cpu.math.Coefficients.EXP_F1;
import static tapedeck.cpu.math.Coefficients.EXP_F2;
import static tapedeck.cpu.math.Coefficients.EXP_F3;
import static tapedeck.cpu.math.Coefficients.EXP_F4;
import static tapedeck.cpu.math.Coefficients.EXP_F5;
import static tapedeck.cpu.math.Coefficients.EXP_F_MAX;
import static tapedeck.cpu.math.Coefficients.LG_F0;
import static tapedeck.cpu.math.Coefficients.LG_F1;
import static tapedeck.cpu.math.Coefficients.LG_F2;
import static tapedeck.cpu.math.Coefficients.LG_F3;
import static tapedeck.cpu.math.Coefficients.LN2;
import static tapedeck.cpu.math.Coefficients.LOG2_E;
import static tapedeck.cpu.math.Coefficients.LOG_CARRY;
import static tapedeck.cpu.math.Coefficients.MANTISSA;
import static tapedeck.cpu.math.Coefficients.ROUND;
import static tapedeck.cpu.math.Coefficients.SIGN;
import static tapedeck.cpu.math.Coefficients.SQRT_HALF;
import static tapedeck.cpu.math.Coefficients.TWO52;
import static tapedeck.cpu.math.Coefficients.TWO52_BIAS;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Exponentials and logarithms on blocks of float32, each in the steps of its namesake in {@link
 * ScalarFloat}: in float64 lanes, rounded once at the end.
 *
 * <p>Each loop is written out although parts are alike: past 18000 nodes, some 45 vector
 * operations, the JIT inlines no call but those of the Vector API itself, and a call boxes its
 * vectors.
 */
final class VectorExpLog32 {
  private static final VectorSpecies<Double> F64 = DoubleVector.SPECIES_PREFERRED;

  /** As many floats as {@link #F64} has doubles. */
  private static final VectorSpecies<Float> F32 =
      VectorSpecies.of(float.class, VectorShape.forBitSize(F64.vectorBitSize() / 2));

  private VectorExpLog32() {}

  static void exp(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      DoubleVector x =
          (DoubleVector)
              FloatVector.fromMemorySegment(F32, Memory.ALL, src + i, nativeOrder())
                  .convertShape(VectorOperators.F2D, F64, 0);
      DoubleVector t =
          x.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector r =
          t.sub(DoubleVector.broadcast(F64, ROUND)).neg().fma(DoubleVector.broadcast(F64, LN2), x);
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
              x.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_F_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, 0),
              x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, -EXP_F_MAX)));
      ((FloatVector) e.convertShape(VectorOperators.D2F, F32, 0))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarMath.exp(Memory.getFloat(src + i)));
    }
  }

  static void expm1(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      DoubleVector x =
          (DoubleVector)
              FloatVector.fromMemorySegment(F32, Memory.ALL, src + i, nativeOrder())
                  .convertShape(VectorOperators.F2D, F64, 0);
      DoubleVector t =
          x.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector r =
          t.sub(DoubleVector.broadcast(F64, ROUND)).neg().fma(DoubleVector.broadcast(F64, LN2), x);
      DoubleVector w = DoubleVector.broadcast(F64, EXP_F5);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F0));
      DoubleVector h =
          t.reinterpretAsLongs()
              .add(1023)
              .lanewise(VectorOperators.LSHL, 52)
              .reinterpretAsDoubles();
      DoubleVector e = r.mul(r).fma(w, r).fma(h, h.sub(DoubleVector.broadcast(F64, 1)));
      e = e.blend(x, x.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 0)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY),
              x.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_F_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, -1),
              x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, -EXP_F_MAX)));
      ((FloatVector) e.convertShape(VectorOperators.D2F, F32, 0))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarMath.expm1(Memory.getFloat(src + i)));
    }
  }

  static void sigmoid(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      DoubleVector x =
          (DoubleVector)
              FloatVector.fromMemorySegment(F32, Memory.ALL, src + i, nativeOrder())
                  .convertShape(VectorOperators.F2D, F64, 0);
      DoubleVector a = x.abs().neg();
      DoubleVector t =
          a.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector r =
          t.sub(DoubleVector.broadcast(F64, ROUND)).neg().fma(DoubleVector.broadcast(F64, LN2), a);
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
              a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_F_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, 0),
              a.compare(VectorOperators.LT, DoubleVector.broadcast(F64, -EXP_F_MAX)));
      DoubleVector v =
          DoubleVector.broadcast(F64, 1)
              .blend(e, x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, 0)))
              .div(e.add(DoubleVector.broadcast(F64, 1)));
      ((FloatVector) v.convertShape(VectorOperators.D2F, F32, 0))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarMath.sigmoid(Memory.getFloat(src + i)));
    }
  }

  static void tanh(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      DoubleVector x =
          (DoubleVector)
              FloatVector.fromMemorySegment(F32, Memory.ALL, src + i, nativeOrder())
                  .convertShape(VectorOperators.F2D, F64, 0);
      DoubleVector a = x.abs().mul(DoubleVector.broadcast(F64, -2));
      DoubleVector t =
          a.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector r =
          t.sub(DoubleVector.broadcast(F64, ROUND)).neg().fma(DoubleVector.broadcast(F64, LN2), a);
      DoubleVector w = DoubleVector.broadcast(F64, EXP_F5);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP_F0));
      DoubleVector h =
          t.reinterpretAsLongs()
              .add(1023)
              .lanewise(VectorOperators.LSHL, 52)
              .reinterpretAsDoubles();
      DoubleVector e = r.mul(r).fma(w, r).fma(h, h.sub(DoubleVector.broadcast(F64, 1)));
      e = e.blend(a, a.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 0)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY),
              a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_F_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, -1),
              a.compare(VectorOperators.LT, DoubleVector.broadcast(F64, -EXP_F_MAX)));
      DoubleVector v = e.div(e.add(DoubleVector.broadcast(F64, 2)));
      v =
          v.abs()
              .reinterpretAsLongs()
              .lanewise(
                  VectorOperators.OR, x.reinterpretAsLongs().lanewise(VectorOperators.AND, SIGN))
              .reinterpretAsDoubles();
      ((FloatVector) v.convertShape(VectorOperators.D2F, F32, 0))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarMath.tanh(Memory.getFloat(src + i)));
    }
  }

  static void log(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      DoubleVector x =
          (DoubleVector)
              FloatVector.fromMemorySegment(F32, Memory.ALL, src + i, nativeOrder())
                  .convertShape(VectorOperators.F2D, F64, 0);
      LongVector u = x.reinterpretAsLongs().add(LOG_CARRY);
      DoubleVector k =
          u.lanewise(VectorOperators.LSHR, 52)
              .lanewise(VectorOperators.OR, TWO52)
              .reinterpretAsDoubles()
              .sub(DoubleVector.broadcast(F64, TWO52_BIAS));
      DoubleVector f =
          u.lanewise(VectorOperators.AND, MANTISSA)
              .add(SQRT_HALF)
              .reinterpretAsDoubles()
              .sub(DoubleVector.broadcast(F64, 1));
      DoubleVector s = f.div(f.add(DoubleVector.broadcast(F64, 2)));
      DoubleVector z = s.mul(s);
      DoubleVector p = DoubleVector.broadcast(F64, LG_F3);
      p = p.fma(z, DoubleVector.broadcast(F64, LG_F2));
      p = p.fma(z, DoubleVector.broadcast(F64, LG_F1));
      p = p.fma(z, DoubleVector.broadcast(F64, LG_F0));
      DoubleVector v =
          s.mul(z)
              .fma(
                  p,
                  k.fma(DoubleVector.broadcast(F64, LN2), s.mul(DoubleVector.broadcast(F64, 2))));
      v =
          x.blend(
              v,
              x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY)));
      v =
          v.blend(
              DoubleVector.broadcast(F64, Double.NEGATIVE_INFINITY),
              x.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 0)));
      v =
          v.blend(
              DoubleVector.broadcast(F64, Double.NaN),
              x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, 0)));
      ((FloatVector) v.convertShape(VectorOperators.D2F, F32, 0))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarMath.log(Memory.getFloat(src + i)));
    }
  }

  static void log1p(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      DoubleVector x =
          (DoubleVector)
              FloatVector.fromMemorySegment(F32, Memory.ALL, src + i, nativeOrder())
                  .convertShape(VectorOperators.F2D, F64, 0);
      DoubleVector w = x.add(DoubleVector.broadcast(F64, 1));
      LongVector u = w.reinterpretAsLongs().add(LOG_CARRY);
      DoubleVector k =
          u.lanewise(VectorOperators.LSHR, 52)
              .lanewise(VectorOperators.OR, TWO52)
              .reinterpretAsDoubles()
              .sub(DoubleVector.broadcast(F64, TWO52_BIAS));
      DoubleVector f =
          u.lanewise(VectorOperators.AND, MANTISSA)
              .add(SQRT_HALF)
              .reinterpretAsDoubles()
              .sub(DoubleVector.broadcast(F64, 1));
      VectorMask<Double> near = k.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 0));
      f = f.blend(x, near);
      DoubleVector s = f.div(f.add(DoubleVector.broadcast(F64, 2)));
      DoubleVector z = s.mul(s);
      DoubleVector p = DoubleVector.broadcast(F64, LG_F3);
      p = p.fma(z, DoubleVector.broadcast(F64, LG_F2));
      p = p.fma(z, DoubleVector.broadcast(F64, LG_F1));
      p = p.fma(z, DoubleVector.broadcast(F64, LG_F0));
      DoubleVector v =
          s.mul(z)
              .fma(
                  p,
                  k.fma(DoubleVector.broadcast(F64, LN2), s.mul(DoubleVector.broadcast(F64, 2))));
      v = v.blend(x, x.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 0)));
      v =
          x.blend(
              v,
              x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY)));
      v =
          v.blend(
              DoubleVector.broadcast(F64, Double.NEGATIVE_INFINITY),
              x.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, -1)));
      v =
          v.blend(
              DoubleVector.broadcast(F64, Double.NaN),
              x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, -1)));
      ((FloatVector) v.convertShape(VectorOperators.D2F, F32, 0))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarMath.log1p(Memory.getFloat(src + i)));
    }
  }
}
