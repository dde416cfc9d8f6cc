package tapedeck.cpu.math;

import static java.nio.ByteOrder.nativeOrder;
import static tapedeck.cpu.math.Coefficients.EXP0;
import static tapedeck.cpu.math.Coefficients.EXP1;
import static tapedeck.cpu.math.Coefficients.EXP10;
import static tapedeck.cpu.math.Coefficients.EXP2;
import static tapedeck.cpu.math.Coefficients.EXP3;
import static tapedeck.cpu.math.Coefficients.EXP4;
import static tapedeck.cpu.math.Coefficients.EXP5;
import static tapedeck.cpu.math.Coefficients.EXP6;
import static tapedeck.cpu.math.Coefficients.EXP7;
import static tapedeck.cpu.math.Coefficients.EXP8;
import static tapedeck.cpu.math.Coefficients.EXP9;
import static tapedeck.cpu.math.Coefficients.EXPM1_MIN;
import static tapedeck.cpu.math.Coefficients.EXP_MAX;
import static tapedeck.cpu.math.Coefficients.EXP_MIN;
import static tapedeck.cpu.math.Coefficients.LG0;
import static tapedeck.cpu.math.Coefficients.LG1;
import static tapedeck.cpu.math.Coefficients.LG2;
import static tapedeck.cpu.math.Coefficients.LG3;
import static tapedeck.cpu.math.Coefficients.LG4;
import static tapedeck.cpu.math.Coefficients.LG5;
import static tapedeck.cpu.math.Coefficients.LG6;
import static tapedeck.cpu.math.Coefficients.LG7;
import static tapedeck.cpu.math.Coefficients.LN2_HI;
import static tapedeck.cpu.math.Coefficients.LN2_LO;
import static tapedeck.cpu.math.Coefficients.LOG2_E;
import static tapedeck.cpu.math.Coefficients.LOG_CARRY;
import static tapedeck.cpu.math.Coefficients.MANTISSA;
import static tapedeck.cpu.math.Coefficients.ROUND;
import static tapedeck.cpu.math.Coefficients.SIGN;
import static tapedeck.cpu.math.Coefficients.SINH_MAX;
import static tapedeck.cpu.math.Coefficients.SQRT_HALF;
import static tapedeck.cpu.math.Coefficients.TINY;
import static tapedeck.cpu.math.Coefficients.TWO52;
import static tapedeck.cpu.math.Coefficients.TWO52_BIAS;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Exponentials and logarithms on blocks of float64, each in the steps of its namesake in {@link
 * ScalarMath}.
 *
 * <p>Each loop is written out although parts are alike: past 18000 nodes, some 45 vector
 * operations, the JIT inlines no call but those of the Vector API itself, and a call boxes its
 * vectors.
 */
final class VectorExpLog64 {
  private static final VectorSpecies<Double> F64 = DoubleVector.SPECIES_PREFERRED;

  private VectorExpLog64() {}

  static void exp(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector t =
          x.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector k = t.sub(DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = k.neg();
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, LN2_LO),
              minus.fma(DoubleVector.broadcast(F64, LN2_HI), x));
      DoubleVector w = DoubleVector.broadcast(F64, EXP10);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP9));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP8));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP7));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP6));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP5));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP0));
      w = r.mul(r).fma(w, r).add(DoubleVector.broadcast(F64, 1));
      DoubleVector half =
          k.fma(DoubleVector.broadcast(F64, 0.5), DoubleVector.broadcast(F64, ROUND));
      DoubleVector rest =
          k.sub(half.sub(DoubleVector.broadcast(F64, ROUND)))
              .add(DoubleVector.broadcast(F64, ROUND));
      DoubleVector e =
          w.mul(
                  half.reinterpretAsLongs()
                      .add(1023)
                      .lanewise(VectorOperators.LSHL, 52)
                      .reinterpretAsDoubles())
              .mul(
                  rest.reinterpretAsLongs()
                      .add(1023)
                      .lanewise(VectorOperators.LSHL, 52)
                      .reinterpretAsDoubles());
      e =
          e.blend(
              DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY),
              x.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, 0),
              x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, EXP_MIN)));
      e.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.exp(Memory.getDouble(src + i)));
    }
  }

  static void expm1(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector t =
          x.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = t.sub(DoubleVector.broadcast(F64, ROUND)).neg();
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, LN2_LO),
              minus.fma(DoubleVector.broadcast(F64, LN2_HI), x));
      DoubleVector w = DoubleVector.broadcast(F64, EXP10);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP9));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP8));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP7));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP6));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP5));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP0));
      w = r.mul(r).fma(w, r);
      DoubleVector h =
          t.reinterpretAsLongs()
              .add(1022)
              .lanewise(VectorOperators.LSHL, 52)
              .reinterpretAsDoubles();
      DoubleVector e =
          w.fma(h, h.sub(DoubleVector.broadcast(F64, 0.5))).mul(DoubleVector.broadcast(F64, 2));
      e = e.blend(x, x.abs().compare(VectorOperators.LT, DoubleVector.broadcast(F64, TINY)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY),
              x.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, -1),
              x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, EXPM1_MIN)));
      e.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.expm1(Memory.getDouble(src + i)));
    }
  }

  static void sigmoid(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector a = x.abs().neg();
      DoubleVector t =
          a.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector k = t.sub(DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = k.neg();
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, LN2_LO),
              minus.fma(DoubleVector.broadcast(F64, LN2_HI), a));
      DoubleVector w = DoubleVector.broadcast(F64, EXP10);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP9));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP8));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP7));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP6));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP5));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP0));
      w = r.mul(r).fma(w, r).add(DoubleVector.broadcast(F64, 1));
      DoubleVector half =
          k.fma(DoubleVector.broadcast(F64, 0.5), DoubleVector.broadcast(F64, ROUND));
      DoubleVector rest =
          k.sub(half.sub(DoubleVector.broadcast(F64, ROUND)))
              .add(DoubleVector.broadcast(F64, ROUND));
      DoubleVector e =
          w.mul(
                  half.reinterpretAsLongs()
                      .add(1023)
                      .lanewise(VectorOperators.LSHL, 52)
                      .reinterpretAsDoubles())
              .mul(
                  rest.reinterpretAsLongs()
                      .add(1023)
                      .lanewise(VectorOperators.LSHL, 52)
                      .reinterpretAsDoubles());
      e =
          e.blend(
              DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY),
              a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, 0),
              a.compare(VectorOperators.LT, DoubleVector.broadcast(F64, EXP_MIN)));
      DoubleVector v =
          DoubleVector.broadcast(F64, 1)
              .blend(e, x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, 0)))
              .div(e.add(DoubleVector.broadcast(F64, 1)));
      v.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.sigmoid(Memory.getDouble(src + i)));
    }
  }

  static void tanh(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector a = x.abs().mul(DoubleVector.broadcast(F64, -2));
      DoubleVector t =
          a.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = t.sub(DoubleVector.broadcast(F64, ROUND)).neg();
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, LN2_LO),
              minus.fma(DoubleVector.broadcast(F64, LN2_HI), a));
      DoubleVector w = DoubleVector.broadcast(F64, EXP10);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP9));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP8));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP7));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP6));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP5));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP0));
      w = r.mul(r).fma(w, r);
      DoubleVector h =
          t.reinterpretAsLongs()
              .add(1022)
              .lanewise(VectorOperators.LSHL, 52)
              .reinterpretAsDoubles();
      DoubleVector e =
          w.fma(h, h.sub(DoubleVector.broadcast(F64, 0.5))).mul(DoubleVector.broadcast(F64, 2));
      e = e.blend(a, a.abs().compare(VectorOperators.LT, DoubleVector.broadcast(F64, TINY)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY),
              a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, -1),
              a.compare(VectorOperators.LT, DoubleVector.broadcast(F64, EXPM1_MIN)));
      DoubleVector v = e.div(e.add(DoubleVector.broadcast(F64, 2)));
      v =
          v.abs()
              .reinterpretAsLongs()
              .lanewise(
                  VectorOperators.OR, x.reinterpretAsLongs().lanewise(VectorOperators.AND, SIGN))
              .reinterpretAsDoubles();
      v.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.tanh(Memory.getDouble(src + i)));
    }
  }

  static void sinh(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector a = x.abs();
      DoubleVector t =
          a.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = DoubleVector.broadcast(F64, ROUND).sub(t);
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, LN2_LO),
              minus.fma(DoubleVector.broadcast(F64, LN2_HI), a));
      DoubleVector w = DoubleVector.broadcast(F64, EXP10);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP9));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP8));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP7));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP6));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP5));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP0));
      w = r.mul(r).fma(w, r);
      DoubleVector h =
          t.reinterpretAsLongs()
              .add(1021)
              .lanewise(VectorOperators.LSHL, 52)
              .reinterpretAsDoubles();
      DoubleVector v =
          w.fma(h, h.sub(DoubleVector.broadcast(F64, 0.25))).mul(DoubleVector.broadcast(F64, 2));
      v = v.add(v.div(v.mul(DoubleVector.broadcast(F64, 2)).add(DoubleVector.broadcast(F64, 1))));
      v = v.blend(a, a.compare(VectorOperators.LT, DoubleVector.broadcast(F64, TINY)));
      v =
          v.blend(
              DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY),
              a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, SINH_MAX)));
      DoubleVector last =
          v.abs()
              .reinterpretAsLongs()
              .lanewise(
                  VectorOperators.OR, x.reinterpretAsLongs().lanewise(VectorOperators.AND, SIGN))
              .reinterpretAsDoubles();
      last.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.sinh(Memory.getDouble(src + i)));
    }
  }

  static void cosh(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector a = x.abs();
      DoubleVector t =
          a.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = DoubleVector.broadcast(F64, ROUND).sub(t);
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, LN2_LO),
              minus.fma(DoubleVector.broadcast(F64, LN2_HI), a));
      DoubleVector w = DoubleVector.broadcast(F64, EXP10);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP9));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP8));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP7));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP6));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP5));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP0));
      w = r.mul(r).fma(w, r);
      DoubleVector h =
          t.reinterpretAsLongs()
              .add(1021)
              .lanewise(VectorOperators.LSHL, 52)
              .reinterpretAsDoubles();
      DoubleVector e = w.add(DoubleVector.broadcast(F64, 1)).mul(h);
      DoubleVector v =
          e.fma(DoubleVector.broadcast(F64, 2), DoubleVector.broadcast(F64, 0.125).div(e));
      DoubleVector last =
          v.blend(
              DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY),
              a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, SINH_MAX)));
      last.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.cosh(Memory.getDouble(src + i)));
    }
  }

  static void log(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      VectorMask<Double> small =
          x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, Double.MIN_NORMAL));
      LongVector u =
          x.blend(x.mul(DoubleVector.broadcast(F64, 0x1p54)), small)
              .reinterpretAsLongs()
              .add(LOG_CARRY);
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
      k = k.blend(k.sub(DoubleVector.broadcast(F64, 54)), small);
      DoubleVector s = f.div(f.add(DoubleVector.broadcast(F64, 2)));
      DoubleVector z = s.mul(s);
      DoubleVector p = DoubleVector.broadcast(F64, LG7);
      p = p.fma(z, DoubleVector.broadcast(F64, LG6));
      p = p.fma(z, DoubleVector.broadcast(F64, LG5));
      p = p.fma(z, DoubleVector.broadcast(F64, LG4));
      p = p.fma(z, DoubleVector.broadcast(F64, LG3));
      p = p.fma(z, DoubleVector.broadcast(F64, LG2));
      p = p.fma(z, DoubleVector.broadcast(F64, LG1));
      p = p.fma(z, DoubleVector.broadcast(F64, LG0));
      DoubleVector h = f.mul(DoubleVector.broadcast(F64, 0.5)).mul(f);
      DoubleVector tail =
          s.fma(
              z.fma(p, h),
              k.fma(DoubleVector.broadcast(F64, LN2_LO), DoubleVector.broadcast(F64, 0)));
      DoubleVector v = k.fma(DoubleVector.broadcast(F64, LN2_HI), f.sub(h.sub(tail)));
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
      v.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.log(Memory.getDouble(src + i)));
    }
  }

  static void log1p(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
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
      VectorMask<Double> up = k.compare(VectorOperators.GT, DoubleVector.broadcast(F64, 0));
      DoubleVector c =
          x.sub(w.sub(DoubleVector.broadcast(F64, 1)))
              .blend(DoubleVector.broadcast(F64, 1).sub(w.sub(x)), up)
              .div(w);
      c = c.blend(DoubleVector.broadcast(F64, 0), near);
      f = f.blend(x, near);
      DoubleVector s = f.div(f.add(DoubleVector.broadcast(F64, 2)));
      DoubleVector z = s.mul(s);
      DoubleVector p = DoubleVector.broadcast(F64, LG7);
      p = p.fma(z, DoubleVector.broadcast(F64, LG6));
      p = p.fma(z, DoubleVector.broadcast(F64, LG5));
      p = p.fma(z, DoubleVector.broadcast(F64, LG4));
      p = p.fma(z, DoubleVector.broadcast(F64, LG3));
      p = p.fma(z, DoubleVector.broadcast(F64, LG2));
      p = p.fma(z, DoubleVector.broadcast(F64, LG1));
      p = p.fma(z, DoubleVector.broadcast(F64, LG0));
      DoubleVector h = f.mul(DoubleVector.broadcast(F64, 0.5)).mul(f);
      DoubleVector tail = s.fma(z.fma(p, h), k.fma(DoubleVector.broadcast(F64, LN2_LO), c));
      DoubleVector v = k.fma(DoubleVector.broadcast(F64, LN2_HI), f.sub(h.sub(tail)));
      v = v.blend(x, x.abs().compare(VectorOperators.LT, DoubleVector.broadcast(F64, TINY)));
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
      v.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.log1p(Memory.getDouble(src + i)));
    }
  }
}
