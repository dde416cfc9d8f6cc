package tapedeck.cpu.math;

import static java.nio.ByteOrder.nativeOrder;
import static tapedeck.cpu.math.Coefficients.ASIN_F0;
import static tapedeck.cpu.math.Coefficients.ASIN_F1;
import static tapedeck.cpu.math.Coefficients.ASIN_F2;
import static tapedeck.cpu.math.Coefficients.ASIN_F3;
import static tapedeck.cpu.math.Coefficients.ASIN_F4;
import static tapedeck.cpu.math.Coefficients.ATAN_F0;
import static tapedeck.cpu.math.Coefficients.ATAN_F1;
import static tapedeck.cpu.math.Coefficients.ATAN_F2;
import static tapedeck.cpu.math.Coefficients.ATAN_F3;
import static tapedeck.cpu.math.Coefficients.ATAN_F4;
import static tapedeck.cpu.math.Coefficients.PIO2_F1;
import static tapedeck.cpu.math.Coefficients.PIO2_F2;
import static tapedeck.cpu.math.Coefficients.SIGN_F;
import static tapedeck.cpu.math.Coefficients.TAN_PI_8_F;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Inverse trigonometric functions on blocks of float32, each in the steps of its namesake in {@link
 * ScalarInverse}.
 *
 * <p>Each loop is written out although parts are alike: past 18000 nodes, some 45 vector
 * operations, the JIT inlines no call but those of the Vector API itself, and a call boxes its
 * vectors.
 */
final class VectorInverse32 {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  private VectorInverse32() {}

  static void asin(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector a = x.abs();
      VectorMask<Float> far = a.compare(VectorOperators.GT, FloatVector.broadcast(F, 0.5f));
      FloatVector z =
          a.mul(a)
              .blend(FloatVector.broadcast(F, 1).sub(a).mul(FloatVector.broadcast(F, 0.5f)), far);
      FloatVector s = a.blend(z.sqrt(), far);
      FloatVector p = FloatVector.broadcast(F, ASIN_F4);
      p = p.fma(z, FloatVector.broadcast(F, ASIN_F3));
      p = p.fma(z, FloatVector.broadcast(F, ASIN_F2));
      p = p.fma(z, FloatVector.broadcast(F, ASIN_F1));
      p = p.fma(z, FloatVector.broadcast(F, ASIN_F0));
      FloatVector v = s.mul(z).fma(p, s);
      v =
          v.blend(
              FloatVector.broadcast(F, PIO2_F1)
                  .sub(v.fma(FloatVector.broadcast(F, 2), FloatVector.broadcast(F, -PIO2_F2))),
              far);
      FloatVector r =
          v.abs()
              .reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR, x.reinterpretAsInts().lanewise(VectorOperators.AND, SIGN_F))
              .reinterpretAsFloats();
      r.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarInverse.asin(Memory.getFloat(src + i)));
    }
  }

  static void acos(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector a = x.abs();
      VectorMask<Float> far = a.compare(VectorOperators.GT, FloatVector.broadcast(F, 0.5f));
      FloatVector z =
          a.mul(a)
              .blend(FloatVector.broadcast(F, 1).sub(a).mul(FloatVector.broadcast(F, 0.5f)), far);
      FloatVector s = a.blend(z.sqrt(), far);
      FloatVector p = FloatVector.broadcast(F, ASIN_F4);
      p = p.fma(z, FloatVector.broadcast(F, ASIN_F3));
      p = p.fma(z, FloatVector.broadcast(F, ASIN_F2));
      p = p.fma(z, FloatVector.broadcast(F, ASIN_F1));
      p = p.fma(z, FloatVector.broadcast(F, ASIN_F0));
      FloatVector v = s.mul(z).fma(p, s);
      VectorMask<Float> negative = x.compare(VectorOperators.LT, FloatVector.broadcast(F, 0));
      FloatVector signed = v.blend(v.neg(), negative.xor(far));
      VectorMask<Float> turn = negative.or(far.not());
      FloatVector r =
          FloatVector.broadcast(F, 0)
              .blend(FloatVector.broadcast(F, PIO2_F1), turn)
              .sub(
                  signed.sub(
                      FloatVector.broadcast(F, 0).blend(FloatVector.broadcast(F, PIO2_F2), turn)));
      r = r.blend(r.add(r), far);
      r.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarInverse.acos(Memory.getFloat(src + i)));
    }
  }

  static void atan(long src, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, src + i, nativeOrder());
      FloatVector a = x.abs();
      VectorMask<Float> mid = a.compare(VectorOperators.GT, FloatVector.broadcast(F, TAN_PI_8_F));
      VectorMask<Float> far =
          a.compare(VectorOperators.GT, FloatVector.broadcast(F, 1 / TAN_PI_8_F));
      FloatVector over =
          a.blend(a.sub(FloatVector.broadcast(F, 1)), mid).blend(FloatVector.broadcast(F, -1), far);
      FloatVector under =
          FloatVector.broadcast(F, 1).blend(a.add(FloatVector.broadcast(F, 1)), mid).blend(a, far);
      FloatVector y = over.div(under);
      FloatVector z = y.mul(y);
      FloatVector p = FloatVector.broadcast(F, ATAN_F4);
      p = p.fma(z, FloatVector.broadcast(F, ATAN_F3));
      p = p.fma(z, FloatVector.broadcast(F, ATAN_F2));
      p = p.fma(z, FloatVector.broadcast(F, ATAN_F1));
      p = p.fma(z, FloatVector.broadcast(F, ATAN_F0));
      FloatVector t = y.mul(z).mul(p);
      FloatVector high =
          FloatVector.broadcast(F, 0)
              .blend(FloatVector.broadcast(F, PIO2_F1 * 0.5f), mid)
              .blend(FloatVector.broadcast(F, PIO2_F1), far);
      FloatVector low =
          FloatVector.broadcast(F, 0)
              .blend(FloatVector.broadcast(F, PIO2_F2 * 0.5f), mid)
              .blend(FloatVector.broadcast(F, PIO2_F2), far);
      FloatVector v = high.add(y.add(t.add(low)));
      FloatVector r =
          v.abs()
              .reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR, x.reinterpretAsInts().lanewise(VectorOperators.AND, SIGN_F))
              .reinterpretAsFloats();
      r.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarInverse.atan(Memory.getFloat(src + i)));
    }
  }

  static void atan2(long a, long b, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F.length()); i < end; i += 4L * F.length()) {
      FloatVector y = FloatVector.fromMemorySegment(F, Memory.ALL, a + i, nativeOrder());
      FloatVector x = FloatVector.fromMemorySegment(F, Memory.ALL, b + i, nativeOrder());
      FloatVector ay = y.abs();
      FloatVector ax = x.abs();
      VectorMask<Float> steep = ay.compare(VectorOperators.GT, ax);
      FloatVector most = ax.blend(ay, steep);
      FloatVector least = ay.blend(ax, steep);
      FloatVector scale =
          FloatVector.broadcast(F, 1)
              .blend(
                  FloatVector.broadcast(F, 0.25f),
                  most.compare(VectorOperators.GT, FloatVector.broadcast(F, 0x1p125f)));
      most = most.mul(scale);
      least = least.mul(scale);
      VectorMask<Float> mid =
          least
              .compare(VectorOperators.GT, FloatVector.broadcast(F, TAN_PI_8_F).mul(most))
              .or(
                  least.compare(
                      VectorOperators.EQ, FloatVector.broadcast(F, Float.POSITIVE_INFINITY)));
      FloatVector over = least.blend(least.sub(most), mid);
      over = over.blend(FloatVector.broadcast(F, 0), least.compare(VectorOperators.EQ, most));
      FloatVector under = most.blend(least.add(most), mid);
      under =
          under.blend(
              FloatVector.broadcast(F, 1),
              most.compare(VectorOperators.EQ, FloatVector.broadcast(F, 0)));
      FloatVector q = over.div(under);
      FloatVector z = q.mul(q);
      FloatVector p = FloatVector.broadcast(F, ATAN_F4);
      p = p.fma(z, FloatVector.broadcast(F, ATAN_F3));
      p = p.fma(z, FloatVector.broadcast(F, ATAN_F2));
      p = p.fma(z, FloatVector.broadcast(F, ATAN_F1));
      p = p.fma(z, FloatVector.broadcast(F, ATAN_F0));
      FloatVector t = q.mul(z).mul(p);
      FloatVector v = q.add(t);
      FloatVector k = FloatVector.broadcast(F, 0).blend(FloatVector.broadcast(F, 1), mid);
      k = k.blend(FloatVector.broadcast(F, 2).sub(k), steep);
      v = v.blend(v.neg(), steep);
      VectorMask<Float> back = x.reinterpretAsInts().compare(VectorOperators.LT, 0).cast(F);
      k = k.blend(FloatVector.broadcast(F, 4).sub(k), back);
      v = v.blend(v.neg(), back);
      FloatVector high = k.mul(FloatVector.broadcast(F, PIO2_F1 * 0.5f));
      FloatVector low =
          k.fma(
              FloatVector.broadcast(F, PIO2_F2 * 0.5f),
              k.fma(FloatVector.broadcast(F, PIO2_F1 * 0.5f), high.neg()));
      FloatVector r = high.add(v.add(low));
      r =
          r.abs()
              .reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR, y.reinterpretAsInts().lanewise(VectorOperators.AND, SIGN_F))
              .reinterpretAsFloats();
      r =
          r.blend(
              FloatVector.broadcast(F, Float.NaN),
              x.compare(VectorOperators.NE, x).or(y.compare(VectorOperators.NE, y)));
      r.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarInverse.atan2(Memory.getFloat(a + i), Memory.getFloat(b + i)));
    }
  }
}
