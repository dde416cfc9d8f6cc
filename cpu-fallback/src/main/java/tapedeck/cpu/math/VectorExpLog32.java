package tapedeck.cpu.math;

import static java.nio.ByteOrder.nativeOrder;
import static tapedeck.cpu.math.Coefficients.BIAS;
import static tapedeck.cpu.math.Coefficients.EXPM1_F_MIN;
import static tapedeck.cpu.math.Coefficients.EXP_F0;
import static tapedeck.cpu.math.Coefficients.EXP_F1;
import static tapedeck.cpu.math.Coefficients.EXP_F2;
import static tapedeck.cpu.math.Coefficients.EXP_F3;
import static tapedeck.cpu.math.Coefficients.EXP_F4;
import static tapedeck.cpu.math.Coefficients.EXP_F_MAX;
import static tapedeck.cpu.math.Coefficients.EXP_F_MIN;
import static tapedeck.cpu.math.Coefficients.EXP_F_NORMAL;
import static tapedeck.cpu.math.Coefficients.LG_F0;
import static tapedeck.cpu.math.Coefficients.LG_F1;
import static tapedeck.cpu.math.Coefficients.LG_F2;
import static tapedeck.cpu.math.Coefficients.LN2_HI_F;
import static tapedeck.cpu.math.Coefficients.LN2_LO_F;
import static tapedeck.cpu.math.Coefficients.LOG2_E_F;
import static tapedeck.cpu.math.Coefficients.LOG_CARRY_F;
import static tapedeck.cpu.math.Coefficients.MANTISSA_F;
import static tapedeck.cpu.math.Coefficients.ROUND_BITS;
import static tapedeck.cpu.math.Coefficients.ROUND_F;
import static tapedeck.cpu.math.Coefficients.SIGN_F;
import static tapedeck.cpu.math.Coefficients.SINH_F_MAX;
import static tapedeck.cpu.math.Coefficients.SQRT_HALF_F;
import static tapedeck.cpu.math.Coefficients.TINY_F;
import static tapedeck.cpu.math.Coefficients.TWO23;
import static tapedeck.cpu.math.Coefficients.TWO23_BIAS;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Exponentials and logarithms on blocks of float32, each in the steps of its namesake in {@link
 * ScalarFloat}.
 *
 * <p>Each loop is written out although parts are alike: past 18000 nodes, some 45 vector
 * operations, the JIT inlines no call but those of the Vector API itself, and a call boxes its
 * vectors.
 */
final class VectorExpLog32 {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  private VectorExpLog32() {}

  static void exp(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector t = x.fma(FloatVector.broadcast(F, LOG2_E_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r =
          minus.fma(
              FloatVector.broadcast(F, LN2_LO_F), minus.fma(FloatVector.broadcast(F, LN2_HI_F), x));
      FloatVector w = FloatVector.broadcast(F, EXP_F4);
      w = w.fma(r, FloatVector.broadcast(F, EXP_F3));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F2));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F1));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F0));
      FloatVector p = r.mul(r).fma(w, r).add(FloatVector.broadcast(F, 1));
      IntVector bits = t.reinterpretAsInts();
      if (x.abs().compare(VectorOperators.LT, FloatVector.broadcast(F, EXP_F_NORMAL)).allTrue()) {
        // The exponent of a normal result is a sum.
        p.reinterpretAsInts()
            .add(bits.lanewise(VectorOperators.LSHL, 23))
            .reinterpretAsFloats()
            .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
        continue;
      }
      IntVector whole = bits.sub(ROUND_BITS);
      IntVector half = whole.lanewise(VectorOperators.ASHR, 1);
      FloatVector e =
          p.mul(half.add(BIAS).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats())
              .mul(
                  whole
                      .sub(half)
                      .add(BIAS)
                      .lanewise(VectorOperators.LSHL, 23)
                      .reinterpretAsFloats());
      e =
          e.blend(
              FloatVector.broadcast(F, Float.POSITIVE_INFINITY),
              x.compare(VectorOperators.GT, FloatVector.broadcast(F, EXP_F_MAX)));
      e.blend(
              FloatVector.broadcast(F, 0),
              x.compare(VectorOperators.LT, FloatVector.broadcast(F, EXP_F_MIN)))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.exp(Memory.getFloat(src + i)));
    }
  }

  static void expm1(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector t = x.fma(FloatVector.broadcast(F, LOG2_E_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r =
          minus.fma(
              FloatVector.broadcast(F, LN2_LO_F), minus.fma(FloatVector.broadcast(F, LN2_HI_F), x));
      FloatVector w = FloatVector.broadcast(F, EXP_F4);
      w = w.fma(r, FloatVector.broadcast(F, EXP_F3));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F2));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F1));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F0));
      FloatVector p = r.mul(r).fma(w, r);
      FloatVector half =
          t.reinterpretAsInts()
              .add(BIAS - 1)
              .lanewise(VectorOperators.LSHL, 23)
              .reinterpretAsFloats();
      FloatVector e =
          p.fma(half, half.sub(FloatVector.broadcast(F, 0.5f))).mul(FloatVector.broadcast(F, 2));
      e = e.blend(x, x.abs().compare(VectorOperators.LT, FloatVector.broadcast(F, TINY_F)));
      e =
          e.blend(
              FloatVector.broadcast(F, Float.POSITIVE_INFINITY),
              x.compare(VectorOperators.GT, FloatVector.broadcast(F, EXP_F_MAX)));
      e.blend(
              FloatVector.broadcast(F, -1),
              x.compare(VectorOperators.LT, FloatVector.broadcast(F, EXPM1_F_MIN)))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.expm1(Memory.getFloat(src + i)));
    }
  }

  static void sigmoid(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector a = x.abs().neg();
      FloatVector t = a.fma(FloatVector.broadcast(F, LOG2_E_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r =
          minus.fma(
              FloatVector.broadcast(F, LN2_LO_F), minus.fma(FloatVector.broadcast(F, LN2_HI_F), a));
      FloatVector w = FloatVector.broadcast(F, EXP_F4);
      w = w.fma(r, FloatVector.broadcast(F, EXP_F3));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F2));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F1));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F0));
      FloatVector p = r.mul(r).fma(w, r).add(FloatVector.broadcast(F, 1));
      IntVector whole = t.reinterpretAsInts().sub(ROUND_BITS);
      IntVector half = whole.lanewise(VectorOperators.ASHR, 1);
      FloatVector e =
          p.mul(half.add(BIAS).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats())
              .mul(
                  whole
                      .sub(half)
                      .add(BIAS)
                      .lanewise(VectorOperators.LSHL, 23)
                      .reinterpretAsFloats());
      e =
          e.blend(
              FloatVector.broadcast(F, 0),
              a.compare(VectorOperators.LT, FloatVector.broadcast(F, EXP_F_MIN)));
      FloatVector.broadcast(F, 1)
          .blend(e, x.compare(VectorOperators.LT, FloatVector.broadcast(F, 0)))
          .div(e.add(FloatVector.broadcast(F, 1)))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.sigmoid(Memory.getFloat(src + i)));
    }
  }

  static void tanh(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector a = x.abs().mul(FloatVector.broadcast(F, -2));
      FloatVector t = a.fma(FloatVector.broadcast(F, LOG2_E_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r =
          minus.fma(
              FloatVector.broadcast(F, LN2_LO_F), minus.fma(FloatVector.broadcast(F, LN2_HI_F), a));
      FloatVector w = FloatVector.broadcast(F, EXP_F4);
      w = w.fma(r, FloatVector.broadcast(F, EXP_F3));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F2));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F1));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F0));
      FloatVector p = r.mul(r).fma(w, r);
      FloatVector half =
          t.reinterpretAsInts()
              .add(BIAS - 1)
              .lanewise(VectorOperators.LSHL, 23)
              .reinterpretAsFloats();
      FloatVector e =
          p.fma(half, half.sub(FloatVector.broadcast(F, 0.5f))).mul(FloatVector.broadcast(F, 2));
      e = e.blend(a, a.abs().compare(VectorOperators.LT, FloatVector.broadcast(F, TINY_F)));
      e =
          e.blend(
              FloatVector.broadcast(F, -1),
              a.compare(VectorOperators.LT, FloatVector.broadcast(F, EXPM1_F_MIN)));
      FloatVector v = e.div(e.add(FloatVector.broadcast(F, 2)));
      v.abs()
          .reinterpretAsInts()
          .lanewise(VectorOperators.OR, x.reinterpretAsInts().lanewise(VectorOperators.AND, SIGN_F))
          .reinterpretAsFloats()
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.tanh(Memory.getFloat(src + i)));
    }
  }

  static void sinh(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector a = x.abs();
      FloatVector t = a.fma(FloatVector.broadcast(F, LOG2_E_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r =
          minus.fma(
              FloatVector.broadcast(F, LN2_LO_F), minus.fma(FloatVector.broadcast(F, LN2_HI_F), a));
      FloatVector w = FloatVector.broadcast(F, EXP_F4);
      w = w.fma(r, FloatVector.broadcast(F, EXP_F3));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F2));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F1));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F0));
      w = r.mul(r).fma(w, r);
      FloatVector h =
          t.reinterpretAsInts()
              .add(BIAS - 2)
              .lanewise(VectorOperators.LSHL, 23)
              .reinterpretAsFloats();
      FloatVector v =
          w.fma(h, h.sub(FloatVector.broadcast(F, 0.25f))).mul(FloatVector.broadcast(F, 2));
      v = v.add(v.div(v.mul(FloatVector.broadcast(F, 2)).add(FloatVector.broadcast(F, 1))));
      v = v.blend(a, a.compare(VectorOperators.LT, FloatVector.broadcast(F, TINY_F)));
      v =
          v.blend(
              FloatVector.broadcast(F, Float.POSITIVE_INFINITY),
              a.compare(VectorOperators.GT, FloatVector.broadcast(F, SINH_F_MAX)));
      FloatVector last =
          v.abs()
              .reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR, x.reinterpretAsInts().lanewise(VectorOperators.AND, SIGN_F))
              .reinterpretAsFloats();
      last.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.sinh(Memory.getFloat(src + i)));
    }
  }

  static void cosh(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector a = x.abs();
      FloatVector t = a.fma(FloatVector.broadcast(F, LOG2_E_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r =
          minus.fma(
              FloatVector.broadcast(F, LN2_LO_F), minus.fma(FloatVector.broadcast(F, LN2_HI_F), a));
      FloatVector w = FloatVector.broadcast(F, EXP_F4);
      w = w.fma(r, FloatVector.broadcast(F, EXP_F3));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F2));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F1));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F0));
      w = r.mul(r).fma(w, r);
      FloatVector h =
          t.reinterpretAsInts()
              .add(BIAS - 2)
              .lanewise(VectorOperators.LSHL, 23)
              .reinterpretAsFloats();
      FloatVector e = w.add(FloatVector.broadcast(F, 1)).mul(h);
      FloatVector v = e.fma(FloatVector.broadcast(F, 2), FloatVector.broadcast(F, 0.125f).div(e));
      FloatVector last =
          v.blend(
              FloatVector.broadcast(F, Float.POSITIVE_INFINITY),
              a.compare(VectorOperators.GT, FloatVector.broadcast(F, SINH_F_MAX)));
      last.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.cosh(Memory.getFloat(src + i)));
    }
  }

  static void log(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      VectorMask<Float> small =
          x.compare(VectorOperators.LT, FloatVector.broadcast(F, Float.MIN_NORMAL));
      FloatVector y = x.blend(x.mul(FloatVector.broadcast(F, 0x1p25f)), small);
      IntVector u = y.reinterpretAsInts().add(LOG_CARRY_F);
      FloatVector k =
          u.lanewise(VectorOperators.LSHR, 23)
              .lanewise(VectorOperators.OR, TWO23)
              .reinterpretAsFloats()
              .sub(FloatVector.broadcast(F, TWO23_BIAS));
      FloatVector f =
          u.lanewise(VectorOperators.AND, MANTISSA_F)
              .add(SQRT_HALF_F)
              .reinterpretAsFloats()
              .sub(FloatVector.broadcast(F, 1));
      k = k.blend(k.sub(FloatVector.broadcast(F, 25)), small);
      FloatVector s = f.div(f.add(FloatVector.broadcast(F, 2)));
      FloatVector z = s.mul(s);
      FloatVector p = FloatVector.broadcast(F, LG_F2);
      p = p.fma(z, FloatVector.broadcast(F, LG_F1));
      p = p.fma(z, FloatVector.broadcast(F, LG_F0));
      FloatVector h = f.mul(FloatVector.broadcast(F, 0.5f)).mul(f);
      FloatVector tail = s.fma(z.fma(p, h), k.mul(FloatVector.broadcast(F, LN2_LO_F)));
      FloatVector v = k.fma(FloatVector.broadcast(F, LN2_HI_F), f.sub(h.sub(tail)));
      v =
          x.blend(
              v, x.compare(VectorOperators.LT, FloatVector.broadcast(F, Float.POSITIVE_INFINITY)));
      v =
          v.blend(
              FloatVector.broadcast(F, Float.NEGATIVE_INFINITY),
              x.compare(VectorOperators.EQ, FloatVector.broadcast(F, 0)));
      v.blend(
              FloatVector.broadcast(F, Float.NaN),
              x.compare(VectorOperators.LT, FloatVector.broadcast(F, 0)))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.log(Memory.getFloat(src + i)));
    }
  }

  static void log1p(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector w = x.add(FloatVector.broadcast(F, 1));
      IntVector u = w.reinterpretAsInts().add(LOG_CARRY_F);
      FloatVector k =
          u.lanewise(VectorOperators.LSHR, 23)
              .lanewise(VectorOperators.OR, TWO23)
              .reinterpretAsFloats()
              .sub(FloatVector.broadcast(F, TWO23_BIAS));
      FloatVector f =
          u.lanewise(VectorOperators.AND, MANTISSA_F)
              .add(SQRT_HALF_F)
              .reinterpretAsFloats()
              .sub(FloatVector.broadcast(F, 1));
      FloatVector c =
          x.sub(w.sub(FloatVector.broadcast(F, 1)))
              .blend(
                  FloatVector.broadcast(F, 1).sub(w.sub(x)),
                  k.compare(VectorOperators.GT, FloatVector.broadcast(F, 0)));
      VectorMask<Float> near = k.compare(VectorOperators.EQ, FloatVector.broadcast(F, 0));
      f = f.blend(x, near);
      c = c.div(w).blend(FloatVector.broadcast(F, 0), near);
      FloatVector s = f.div(f.add(FloatVector.broadcast(F, 2)));
      FloatVector z = s.mul(s);
      FloatVector p = FloatVector.broadcast(F, LG_F2);
      p = p.fma(z, FloatVector.broadcast(F, LG_F1));
      p = p.fma(z, FloatVector.broadcast(F, LG_F0));
      FloatVector h = f.mul(FloatVector.broadcast(F, 0.5f)).mul(f);
      FloatVector tail = s.fma(z.fma(p, h), k.fma(FloatVector.broadcast(F, LN2_LO_F), c));
      FloatVector v = k.fma(FloatVector.broadcast(F, LN2_HI_F), f.sub(h.sub(tail)));
      v = v.blend(x, x.abs().compare(VectorOperators.LT, FloatVector.broadcast(F, TINY_F)));
      v =
          x.blend(
              v, x.compare(VectorOperators.LT, FloatVector.broadcast(F, Float.POSITIVE_INFINITY)));
      v =
          v.blend(
              FloatVector.broadcast(F, Float.NEGATIVE_INFINITY),
              x.compare(VectorOperators.EQ, FloatVector.broadcast(F, -1)));
      v.blend(
              FloatVector.broadcast(F, Float.NaN),
              x.compare(VectorOperators.LT, FloatVector.broadcast(F, -1)))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.log1p(Memory.getFloat(src + i)));
    }
  }
}
