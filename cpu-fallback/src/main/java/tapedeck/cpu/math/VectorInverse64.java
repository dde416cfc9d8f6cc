package tapedeck.cpu.math;

import static java.nio.ByteOrder.nativeOrder;
import static tapedeck.cpu.math.Coefficients.ASIN0;
import static tapedeck.cpu.math.Coefficients.ASIN1;
import static tapedeck.cpu.math.Coefficients.ASIN10;
import static tapedeck.cpu.math.Coefficients.ASIN11;
import static tapedeck.cpu.math.Coefficients.ASIN12;
import static tapedeck.cpu.math.Coefficients.ASIN2;
import static tapedeck.cpu.math.Coefficients.ASIN3;
import static tapedeck.cpu.math.Coefficients.ASIN4;
import static tapedeck.cpu.math.Coefficients.ASIN5;
import static tapedeck.cpu.math.Coefficients.ASIN6;
import static tapedeck.cpu.math.Coefficients.ASIN7;
import static tapedeck.cpu.math.Coefficients.ASIN8;
import static tapedeck.cpu.math.Coefficients.ASIN9;
import static tapedeck.cpu.math.Coefficients.ATAN0;
import static tapedeck.cpu.math.Coefficients.ATAN1;
import static tapedeck.cpu.math.Coefficients.ATAN10;
import static tapedeck.cpu.math.Coefficients.ATAN2;
import static tapedeck.cpu.math.Coefficients.ATAN3;
import static tapedeck.cpu.math.Coefficients.ATAN4;
import static tapedeck.cpu.math.Coefficients.ATAN5;
import static tapedeck.cpu.math.Coefficients.ATAN6;
import static tapedeck.cpu.math.Coefficients.ATAN7;
import static tapedeck.cpu.math.Coefficients.ATAN8;
import static tapedeck.cpu.math.Coefficients.ATAN9;
import static tapedeck.cpu.math.Coefficients.PIO2_1;
import static tapedeck.cpu.math.Coefficients.PIO2_2;
import static tapedeck.cpu.math.Coefficients.SIGN;
import static tapedeck.cpu.math.Coefficients.TAN_PI_8;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Inverse trigonometric functions on blocks of float64, each in the steps of its namesake in {@link
 * ScalarInverse}.
 *
 * <p>Each loop is written out although parts are alike: past 18000 nodes, some 45 vector
 * operations, the JIT inlines no call but those of the Vector API itself, and a call boxes its
 * vectors.
 */
final class VectorInverse64 {
  private static final VectorSpecies<Double> F64 = DoubleVector.SPECIES_PREFERRED;

  private VectorInverse64() {}

  static void asin(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector a = x.abs();
      VectorMask<Double> far = a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, 0.5));
      DoubleVector z =
          a.mul(a)
              .blend(
                  DoubleVector.broadcast(F64, 1).sub(a).mul(DoubleVector.broadcast(F64, 0.5)), far);
      DoubleVector s = a.blend(z.sqrt(), far);
      DoubleVector p = DoubleVector.broadcast(F64, ASIN12);
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN11));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN10));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN9));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN8));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN7));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN6));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN5));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN4));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN3));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN2));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN1));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN0));
      DoubleVector v = s.mul(z).fma(p, s);
      v =
          v.blend(
              DoubleVector.broadcast(F64, PIO2_1)
                  .sub(v.fma(DoubleVector.broadcast(F64, 2), DoubleVector.broadcast(F64, -PIO2_2))),
              far);
      DoubleVector r =
          v.abs()
              .reinterpretAsLongs()
              .lanewise(
                  VectorOperators.OR, x.reinterpretAsLongs().lanewise(VectorOperators.AND, SIGN))
              .reinterpretAsDoubles();
      r.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarInverse.asin(Memory.getDouble(src + i)));
    }
  }

  static void acos(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector a = x.abs();
      VectorMask<Double> far = a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, 0.5));
      DoubleVector z =
          a.mul(a)
              .blend(
                  DoubleVector.broadcast(F64, 1).sub(a).mul(DoubleVector.broadcast(F64, 0.5)), far);
      DoubleVector s = a.blend(z.sqrt(), far);
      DoubleVector p = DoubleVector.broadcast(F64, ASIN12);
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN11));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN10));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN9));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN8));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN7));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN6));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN5));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN4));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN3));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN2));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN1));
      p = p.fma(z, DoubleVector.broadcast(F64, ASIN0));
      DoubleVector v = s.mul(z).fma(p, s);
      VectorMask<Double> negative = x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, 0));
      DoubleVector signed = v.blend(v.neg(), negative.xor(far));
      VectorMask<Double> turn = negative.or(far.not());
      DoubleVector r =
          DoubleVector.broadcast(F64, 0)
              .blend(DoubleVector.broadcast(F64, PIO2_1), turn)
              .sub(
                  signed.sub(
                      DoubleVector.broadcast(F64, 0)
                          .blend(DoubleVector.broadcast(F64, PIO2_2), turn)));
      r = r.blend(r.add(r), far);
      r.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarInverse.acos(Memory.getDouble(src + i)));
    }
  }

  static void atan(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector a = x.abs();
      VectorMask<Double> mid = a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, TAN_PI_8));
      VectorMask<Double> far =
          a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, 1 / TAN_PI_8));
      DoubleVector over =
          a.blend(a.sub(DoubleVector.broadcast(F64, 1)), mid)
              .blend(DoubleVector.broadcast(F64, -1), far);
      DoubleVector under =
          DoubleVector.broadcast(F64, 1)
              .blend(a.add(DoubleVector.broadcast(F64, 1)), mid)
              .blend(a, far);
      DoubleVector y = over.div(under);
      DoubleVector z = y.mul(y);
      DoubleVector p = DoubleVector.broadcast(F64, ATAN10);
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN9));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN8));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN7));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN6));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN5));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN4));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN3));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN2));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN1));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN0));
      DoubleVector t = y.mul(z).mul(p);
      DoubleVector high =
          DoubleVector.broadcast(F64, 0)
              .blend(DoubleVector.broadcast(F64, PIO2_1 * 0.5), mid)
              .blend(DoubleVector.broadcast(F64, PIO2_1), far);
      DoubleVector low =
          DoubleVector.broadcast(F64, 0)
              .blend(DoubleVector.broadcast(F64, PIO2_2 * 0.5), mid)
              .blend(DoubleVector.broadcast(F64, PIO2_2), far);
      DoubleVector v = high.add(y.add(t.add(low)));
      DoubleVector r =
          v.abs()
              .reinterpretAsLongs()
              .lanewise(
                  VectorOperators.OR, x.reinterpretAsLongs().lanewise(VectorOperators.AND, SIGN))
              .reinterpretAsDoubles();
      r.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarInverse.atan(Memory.getDouble(src + i)));
    }
  }

  static void atan2(long a, long b, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector y = DoubleVector.fromMemorySegment(F64, Memory.ALL, a + i, nativeOrder());
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, b + i, nativeOrder());
      DoubleVector ay = y.abs();
      DoubleVector ax = x.abs();
      VectorMask<Double> steep = ay.compare(VectorOperators.GT, ax);
      DoubleVector most = ax.blend(ay, steep);
      DoubleVector least = ay.blend(ax, steep);
      DoubleVector scale =
          DoubleVector.broadcast(F64, 1)
              .blend(
                  DoubleVector.broadcast(F64, 0.25),
                  most.compare(VectorOperators.GT, DoubleVector.broadcast(F64, 0x1p1000)));
      most = most.mul(scale);
      least = least.mul(scale);
      VectorMask<Double> mid =
          least
              .compare(VectorOperators.GT, DoubleVector.broadcast(F64, TAN_PI_8).mul(most))
              .or(
                  least.compare(
                      VectorOperators.EQ, DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY)));
      DoubleVector over = least.blend(least.sub(most), mid);
      over = over.blend(DoubleVector.broadcast(F64, 0), least.compare(VectorOperators.EQ, most));
      DoubleVector under = most.blend(least.add(most), mid);
      under =
          under.blend(
              DoubleVector.broadcast(F64, 1),
              most.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 0)));
      DoubleVector q = over.div(under);
      DoubleVector z = q.mul(q);
      DoubleVector p = DoubleVector.broadcast(F64, ATAN10);
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN9));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN8));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN7));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN6));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN5));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN4));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN3));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN2));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN1));
      p = p.fma(z, DoubleVector.broadcast(F64, ATAN0));
      DoubleVector t = q.mul(z).mul(p);
      DoubleVector v = q.add(t);
      DoubleVector k = DoubleVector.broadcast(F64, 0).blend(DoubleVector.broadcast(F64, 1), mid);
      k = k.blend(DoubleVector.broadcast(F64, 2).sub(k), steep);
      v = v.blend(v.neg(), steep);
      VectorMask<Double> back = x.reinterpretAsLongs().compare(VectorOperators.LT, 0).cast(F64);
      k = k.blend(DoubleVector.broadcast(F64, 4).sub(k), back);
      v = v.blend(v.neg(), back);
      DoubleVector high = k.mul(DoubleVector.broadcast(F64, PIO2_1 * 0.5));
      DoubleVector low =
          k.fma(
              DoubleVector.broadcast(F64, PIO2_2 * 0.5),
              k.fma(DoubleVector.broadcast(F64, PIO2_1 * 0.5), high.neg()));
      DoubleVector r = high.add(v.add(low));
      r =
          r.abs()
              .reinterpretAsLongs()
              .lanewise(
                  VectorOperators.OR, y.reinterpretAsLongs().lanewise(VectorOperators.AND, SIGN))
              .reinterpretAsDoubles();
      r =
          r.blend(
              DoubleVector.broadcast(F64, Double.NaN),
              x.compare(VectorOperators.NE, x).or(y.compare(VectorOperators.NE, y)));
      r.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(
          dst + i, ScalarInverse.atan2(Memory.getDouble(a + i), Memory.getDouble(b + i)));
    }
  }
}
