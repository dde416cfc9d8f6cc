package tapedeck.cpu.math;

import static java.nio.ByteOrder.nativeOrder;
import static tapedeck.cpu.math.Coefficients.BIAS;
import static tapedeck.cpu.math.Coefficients.COS_F0;
import static tapedeck.cpu.math.Coefficients.COS_F1;
import static tapedeck.cpu.math.Coefficients.COS_F2;
import static tapedeck.cpu.math.Coefficients.ERFC_F0;
import static tapedeck.cpu.math.Coefficients.ERFC_F1;
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
import static tapedeck.cpu.math.Coefficients.ERF_F_MAX;
import static tapedeck.cpu.math.Coefficients.EXP_F0;
import static tapedeck.cpu.math.Coefficients.EXP_F1;
import static tapedeck.cpu.math.Coefficients.EXP_F2;
import static tapedeck.cpu.math.Coefficients.EXP_F3;
import static tapedeck.cpu.math.Coefficients.EXP_F4;
import static tapedeck.cpu.math.Coefficients.LN2_HI_F;
import static tapedeck.cpu.math.Coefficients.LN2_LO_F;
import static tapedeck.cpu.math.Coefficients.LOG2_E_F;
import static tapedeck.cpu.math.Coefficients.PIO2_F1;
import static tapedeck.cpu.math.Coefficients.PIO2_F2;
import static tapedeck.cpu.math.Coefficients.PIO2_F3;
import static tapedeck.cpu.math.Coefficients.ROUND_BITS;
import static tapedeck.cpu.math.Coefficients.ROUND_F;
import static tapedeck.cpu.math.Coefficients.SIGN_F;
import static tapedeck.cpu.math.Coefficients.SIN_F0;
import static tapedeck.cpu.math.Coefficients.SIN_F1;
import static tapedeck.cpu.math.Coefficients.SIN_F2;
import static tapedeck.cpu.math.Coefficients.TRIG_MAX_F;
import static tapedeck.cpu.math.Coefficients.TWO_OVER_PI_F;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sine, cosine and error functions on blocks of float32, each in the steps of its namesake in
 * {@link ScalarFloat}.
 *
 * <p>Each loop is written out although parts are alike: past 18000 nodes, some 45 vector
 * operations, the JIT inlines no call but those of the Vector API itself, and a call boxes its
 * vectors.
 */
final class VectorTrigErf32 {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  private VectorTrigErf32() {}

  static void sin(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector t =
          x.fma(FloatVector.broadcast(F, TWO_OVER_PI_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r = minus.fma(FloatVector.broadcast(F, PIO2_F1), x);
      r = minus.fma(FloatVector.broadcast(F, PIO2_F2), r);
      r = minus.fma(FloatVector.broadcast(F, PIO2_F3), r);
      FloatVector z = r.mul(r);
      FloatVector s = FloatVector.broadcast(F, SIN_F2);
      s = s.fma(z, FloatVector.broadcast(F, SIN_F1));
      s = s.fma(z, FloatVector.broadcast(F, SIN_F0));
      s = r.mul(z).fma(s, r);
      FloatVector c = FloatVector.broadcast(F, COS_F2);
      c = c.fma(z, FloatVector.broadcast(F, COS_F1));
      c = c.fma(z, FloatVector.broadcast(F, COS_F0));
      c = z.mul(z).fma(c, z.fma(FloatVector.broadcast(F, -0.5f), FloatVector.broadcast(F, 1)));
      IntVector q = t.reinterpretAsInts();
      FloatVector v =
          s.blend(c, q.lanewise(VectorOperators.AND, 1).compare(VectorOperators.NE, 0).cast(F));
      v =
          v.reinterpretAsInts()
              .lanewise(
                  VectorOperators.XOR,
                  q.lanewise(VectorOperators.LSHL, 30).lanewise(VectorOperators.AND, SIGN_F))
              .reinterpretAsFloats();
      FloatVector last = v.blend(x, x.compare(VectorOperators.EQ, FloatVector.broadcast(F, 0)));
      VectorMask<Float> large =
          x.abs().compare(VectorOperators.GT, FloatVector.broadcast(F, TRIG_MAX_F));
      if (large.anyTrue()) {
        last = sinEach(x, last, large.toLong());
      }
      last.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.sin(Memory.getFloat(src + i)));
    }
  }

  static void cos(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector t =
          x.fma(FloatVector.broadcast(F, TWO_OVER_PI_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r = minus.fma(FloatVector.broadcast(F, PIO2_F1), x);
      r = minus.fma(FloatVector.broadcast(F, PIO2_F2), r);
      r = minus.fma(FloatVector.broadcast(F, PIO2_F3), r);
      FloatVector z = r.mul(r);
      FloatVector s = FloatVector.broadcast(F, SIN_F2);
      s = s.fma(z, FloatVector.broadcast(F, SIN_F1));
      s = s.fma(z, FloatVector.broadcast(F, SIN_F0));
      s = r.mul(z).fma(s, r);
      FloatVector c = FloatVector.broadcast(F, COS_F2);
      c = c.fma(z, FloatVector.broadcast(F, COS_F1));
      c = c.fma(z, FloatVector.broadcast(F, COS_F0));
      c = z.mul(z).fma(c, z.fma(FloatVector.broadcast(F, -0.5f), FloatVector.broadcast(F, 1)));
      IntVector q = t.reinterpretAsInts().add(1);
      FloatVector v =
          s.blend(c, q.lanewise(VectorOperators.AND, 1).compare(VectorOperators.NE, 0).cast(F));
      v =
          v.reinterpretAsInts()
              .lanewise(
                  VectorOperators.XOR,
                  q.lanewise(VectorOperators.LSHL, 30).lanewise(VectorOperators.AND, SIGN_F))
              .reinterpretAsFloats();
      FloatVector last = v;
      VectorMask<Float> large =
          x.abs().compare(VectorOperators.GT, FloatVector.broadcast(F, TRIG_MAX_F));
      if (large.anyTrue()) {
        last = cosEach(x, last, large.toLong());
      }
      last.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.cos(Memory.getFloat(src + i)));
    }
  }

  static void tan(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector t =
          x.fma(FloatVector.broadcast(F, TWO_OVER_PI_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r = minus.fma(FloatVector.broadcast(F, PIO2_F1), x);
      r = minus.fma(FloatVector.broadcast(F, PIO2_F2), r);
      r = minus.fma(FloatVector.broadcast(F, PIO2_F3), r);
      FloatVector z = r.mul(r);
      FloatVector s = FloatVector.broadcast(F, SIN_F2);
      s = s.fma(z, FloatVector.broadcast(F, SIN_F1));
      s = s.fma(z, FloatVector.broadcast(F, SIN_F0));
      s = r.mul(z).fma(s, r);
      FloatVector c = FloatVector.broadcast(F, COS_F2);
      c = c.fma(z, FloatVector.broadcast(F, COS_F1));
      c = c.fma(z, FloatVector.broadcast(F, COS_F0));
      c = z.mul(z).fma(c, z.fma(FloatVector.broadcast(F, -0.5f), FloatVector.broadcast(F, 1)));
      VectorMask<Float> odd =
          t.reinterpretAsInts()
              .lanewise(VectorOperators.AND, 1)
              .compare(VectorOperators.NE, 0)
              .cast(F);
      FloatVector v = s.blend(c.neg(), odd).div(c.blend(s, odd));
      FloatVector last = v.blend(x, x.compare(VectorOperators.EQ, FloatVector.broadcast(F, 0)));
      VectorMask<Float> large =
          x.abs().compare(VectorOperators.GT, FloatVector.broadcast(F, TRIG_MAX_F));
      if (large.anyTrue()) {
        last = tanEach(x, last, large.toLong());
      }
      last.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.tan(Memory.getFloat(src + i)));
    }
  }

  static void erf(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector m = x.abs();
      FloatVector a =
          m.blend(
              FloatVector.broadcast(F, ERF_F_MAX),
              m.compare(VectorOperators.GT, FloatVector.broadcast(F, ERF_F_MAX)));
      FloatVector b = a.add(FloatVector.broadcast(F, ERFC_F_CENTRE));
      FloatVector d = a.sub(FloatVector.broadcast(F, ERFC_F_CENTRE));
      FloatVector inv = FloatVector.broadcast(F, 1).div(b);
      FloatVector y = d.mul(inv);
      FloatVector g = FloatVector.broadcast(F, ERFC_F9);
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F8));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F7));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F6));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F5));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F4));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F3));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F2));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F1));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F0));
      g = g.mul(inv);
      FloatVector square = a.mul(a).neg();
      FloatVector t =
          square.fma(FloatVector.broadcast(F, LOG2_E_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r =
          minus.fma(
              FloatVector.broadcast(F, LN2_LO_F),
              minus.fma(FloatVector.broadcast(F, LN2_HI_F), square));
      FloatVector w = FloatVector.broadcast(F, EXP_F4);
      w = w.fma(r, FloatVector.broadcast(F, EXP_F3));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F2));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F1));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F0));
      FloatVector p = r.mul(r).fma(w, r).add(FloatVector.broadcast(F, 1));
      FloatVector far =
          FloatVector.broadcast(F, 1)
              .sub(
                  g.mul(p)
                      .mul(
                          t.reinterpretAsInts()
                              .add(BIAS)
                              .lanewise(VectorOperators.LSHL, 23)
                              .reinterpretAsFloats()));
      far =
          far.abs()
              .reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR, x.reinterpretAsInts().lanewise(VectorOperators.AND, SIGN_F))
              .reinterpretAsFloats();
      FloatVector z = x.mul(x);
      FloatVector q = FloatVector.broadcast(F, ERF_F6);
      q = q.fma(z, FloatVector.broadcast(F, ERF_F5));
      q = q.fma(z, FloatVector.broadcast(F, ERF_F4));
      q = q.fma(z, FloatVector.broadcast(F, ERF_F3));
      q = q.fma(z, FloatVector.broadcast(F, ERF_F2));
      q = q.fma(z, FloatVector.broadcast(F, ERF_F1));
      q = q.fma(z, FloatVector.broadcast(F, ERF_F0));
      far.blend(x.fma(q, x), m.compare(VectorOperators.LT, FloatVector.broadcast(F, 1)))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.erf(Memory.getFloat(src + i)));
    }
  }

  static void erfc(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector m = x.abs();
      FloatVector a =
          m.blend(
              FloatVector.broadcast(F, ERFC_F_MAX),
              m.compare(VectorOperators.GT, FloatVector.broadcast(F, ERFC_F_MAX)));
      FloatVector b = a.add(FloatVector.broadcast(F, ERFC_F_CENTRE));
      FloatVector d = a.sub(FloatVector.broadcast(F, ERFC_F_CENTRE));
      FloatVector inv = FloatVector.broadcast(F, 1).div(b);
      FloatVector y = d.mul(inv);
      FloatVector g = FloatVector.broadcast(F, ERFC_F9);
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F8));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F7));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F6));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F5));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F4));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F3));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F2));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F1));
      g = g.fma(y, FloatVector.broadcast(F, ERFC_F0));
      g = g.mul(inv);
      FloatVector square = a.mul(a).neg();
      FloatVector low = a.fma(a, square);
      FloatVector t =
          square.fma(FloatVector.broadcast(F, LOG2_E_F), FloatVector.broadcast(F, ROUND_F));
      FloatVector minus = FloatVector.broadcast(F, ROUND_F).sub(t);
      FloatVector r =
          minus
              .fma(
                  FloatVector.broadcast(F, LN2_LO_F),
                  minus.fma(FloatVector.broadcast(F, LN2_HI_F), square))
              .sub(low);
      FloatVector w = FloatVector.broadcast(F, EXP_F4);
      w = w.fma(r, FloatVector.broadcast(F, EXP_F3));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F2));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F1));
      w = w.fma(r, FloatVector.broadcast(F, EXP_F0));
      FloatVector p = r.mul(r).fma(w, r).add(FloatVector.broadcast(F, 1));
      IntVector whole = t.reinterpretAsInts().sub(ROUND_BITS);
      IntVector half = whole.lanewise(VectorOperators.ASHR, 1);
      FloatVector far =
          p.mul(half.add(BIAS).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats())
              .mul(g)
              .mul(
                  whole
                      .sub(half)
                      .add(BIAS)
                      .lanewise(VectorOperators.LSHL, 23)
                      .reinterpretAsFloats());
      far =
          far.blend(
              FloatVector.broadcast(F, 2).sub(far),
              x.compare(VectorOperators.LT, FloatVector.broadcast(F, 0)));
      FloatVector z = x.mul(x);
      FloatVector q = FloatVector.broadcast(F, ERF_F6);
      q = q.fma(z, FloatVector.broadcast(F, ERF_F5));
      q = q.fma(z, FloatVector.broadcast(F, ERF_F4));
      q = q.fma(z, FloatVector.broadcast(F, ERF_F3));
      q = q.fma(z, FloatVector.broadcast(F, ERF_F2));
      q = q.fma(z, FloatVector.broadcast(F, ERF_F1));
      q = q.fma(z, FloatVector.broadcast(F, ERF_F0));
      far.blend(
              x.neg().fma(q, FloatVector.broadcast(F, 1).sub(x)),
              m.compare(VectorOperators.LT, FloatVector.broadcast(F, 1)))
          .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.erfc(Memory.getFloat(src + i)));
    }
  }

  private static FloatVector sinEach(FloatVector x, FloatVector v, long lanes) {
    float[] in = x.toArray();
    float[] out = v.toArray();
    for (int i = 0; i < in.length; i++) {
      if ((lanes >>> i & 1) != 0) {
        out[i] = (float) StrictMath.sin(in[i]);
      }
    }
    return FloatVector.fromArray(F, out, 0);
  }

  private static FloatVector tanEach(FloatVector x, FloatVector v, long lanes) {
    float[] in = x.toArray();
    float[] out = v.toArray();
    for (int i = 0; i < in.length; i++) {
      if ((lanes >>> i & 1) != 0) {
        out[i] = (float) StrictMath.tan(in[i]);
      }
    }
    return FloatVector.fromArray(F, out, 0);
  }

  private static FloatVector cosEach(FloatVector x, FloatVector v, long lanes) {
    float[] in = x.toArray();
    float[] out = v.toArray();
    for (int i = 0; i < in.length; i++) {
      if ((lanes >>> i & 1) != 0) {
        out[i] = (float) StrictMath.cos(in[i]);
      }
    }
    return FloatVector.fromArray(F, out, 0);
  }
}
