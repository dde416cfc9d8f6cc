package tapedeck.cpu.math;

import static java.nio.ByteOrder.nativeOrder;
import static tapedeck.cpu.math.Coefficients.COS0;
import static tapedeck.cpu.math.Coefficients.COS1;
import static tapedeck.cpu.math.Coefficients.COS2;
import static tapedeck.cpu.math.Coefficients.COS3;
import static tapedeck.cpu.math.Coefficients.COS4;
import static tapedeck.cpu.math.Coefficients.COS5;
import static tapedeck.cpu.math.Coefficients.ERF0;
import static tapedeck.cpu.math.Coefficients.ERF1;
import static tapedeck.cpu.math.Coefficients.ERF10;
import static tapedeck.cpu.math.Coefficients.ERF11;
import static tapedeck.cpu.math.Coefficients.ERF2;
import static tapedeck.cpu.math.Coefficients.ERF3;
import static tapedeck.cpu.math.Coefficients.ERF4;
import static tapedeck.cpu.math.Coefficients.ERF5;
import static tapedeck.cpu.math.Coefficients.ERF6;
import static tapedeck.cpu.math.Coefficients.ERF7;
import static tapedeck.cpu.math.Coefficients.ERF8;
import static tapedeck.cpu.math.Coefficients.ERF9;
import static tapedeck.cpu.math.Coefficients.ERFC0;
import static tapedeck.cpu.math.Coefficients.ERFC1;
import static tapedeck.cpu.math.Coefficients.ERFC10;
import static tapedeck.cpu.math.Coefficients.ERFC11;
import static tapedeck.cpu.math.Coefficients.ERFC12;
import static tapedeck.cpu.math.Coefficients.ERFC13;
import static tapedeck.cpu.math.Coefficients.ERFC14;
import static tapedeck.cpu.math.Coefficients.ERFC15;
import static tapedeck.cpu.math.Coefficients.ERFC16;
import static tapedeck.cpu.math.Coefficients.ERFC17;
import static tapedeck.cpu.math.Coefficients.ERFC18;
import static tapedeck.cpu.math.Coefficients.ERFC19;
import static tapedeck.cpu.math.Coefficients.ERFC2;
import static tapedeck.cpu.math.Coefficients.ERFC20;
import static tapedeck.cpu.math.Coefficients.ERFC21;
import static tapedeck.cpu.math.Coefficients.ERFC22;
import static tapedeck.cpu.math.Coefficients.ERFC3;
import static tapedeck.cpu.math.Coefficients.ERFC4;
import static tapedeck.cpu.math.Coefficients.ERFC5;
import static tapedeck.cpu.math.Coefficients.ERFC6;
import static tapedeck.cpu.math.Coefficients.ERFC7;
import static tapedeck.cpu.math.Coefficients.ERFC8;
import static tapedeck.cpu.math.Coefficients.ERFC9;
import static tapedeck.cpu.math.Coefficients.ERFC_CENTRE;
import static tapedeck.cpu.math.Coefficients.ERFC_MAX;
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
import static tapedeck.cpu.math.Coefficients.EXP_MAX;
import static tapedeck.cpu.math.Coefficients.EXP_MIN;
import static tapedeck.cpu.math.Coefficients.LN2_HI;
import static tapedeck.cpu.math.Coefficients.LN2_LO;
import static tapedeck.cpu.math.Coefficients.LOG2_E;
import static tapedeck.cpu.math.Coefficients.PIO2_1;
import static tapedeck.cpu.math.Coefficients.PIO2_2;
import static tapedeck.cpu.math.Coefficients.PIO2_3;
import static tapedeck.cpu.math.Coefficients.ROUND;
import static tapedeck.cpu.math.Coefficients.SIGN;
import static tapedeck.cpu.math.Coefficients.SIN0;
import static tapedeck.cpu.math.Coefficients.SIN1;
import static tapedeck.cpu.math.Coefficients.SIN2;
import static tapedeck.cpu.math.Coefficients.SIN3;
import static tapedeck.cpu.math.Coefficients.SIN4;
import static tapedeck.cpu.math.Coefficients.SIN5;
import static tapedeck.cpu.math.Coefficients.SIN6;
import static tapedeck.cpu.math.Coefficients.TRIG_MAX;
import static tapedeck.cpu.math.Coefficients.TWO_OVER_PI;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sine, cosine and error functions on blocks of float64, each in the steps of its namesake in
 * {@link ScalarMath}.
 *
 * <p>Each loop is written out although parts are alike: past 18000 nodes, some 45 vector
 * operations, the JIT inlines no call but those of the Vector API itself, and a call boxes its
 * vectors.
 */
final class VectorTrigErf64 {
  private static final VectorSpecies<Double> F64 = DoubleVector.SPECIES_PREFERRED;

  private VectorTrigErf64() {}

  static void sin(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector t =
          x.fma(DoubleVector.broadcast(F64, TWO_OVER_PI), DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = t.sub(DoubleVector.broadcast(F64, ROUND)).neg();
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, PIO2_2),
              minus.fma(DoubleVector.broadcast(F64, PIO2_1), x));
      r = minus.fma(DoubleVector.broadcast(F64, PIO2_3), r);
      DoubleVector z = r.mul(r);
      DoubleVector s = DoubleVector.broadcast(F64, SIN6);
      s = s.fma(z, DoubleVector.broadcast(F64, SIN5));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN4));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN3));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN2));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN1));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN0));
      s = r.mul(z).fma(s, r);
      DoubleVector c = DoubleVector.broadcast(F64, COS5);
      c = c.fma(z, DoubleVector.broadcast(F64, COS4));
      c = c.fma(z, DoubleVector.broadcast(F64, COS3));
      c = c.fma(z, DoubleVector.broadcast(F64, COS2));
      c = c.fma(z, DoubleVector.broadcast(F64, COS1));
      c = c.fma(z, DoubleVector.broadcast(F64, COS0));
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
      v.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.sin(Memory.getDouble(src + i)));
    }
  }

  static void cos(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector t =
          x.fma(DoubleVector.broadcast(F64, TWO_OVER_PI), DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = t.sub(DoubleVector.broadcast(F64, ROUND)).neg();
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, PIO2_2),
              minus.fma(DoubleVector.broadcast(F64, PIO2_1), x));
      r = minus.fma(DoubleVector.broadcast(F64, PIO2_3), r);
      DoubleVector z = r.mul(r);
      DoubleVector s = DoubleVector.broadcast(F64, SIN6);
      s = s.fma(z, DoubleVector.broadcast(F64, SIN5));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN4));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN3));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN2));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN1));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN0));
      s = r.mul(z).fma(s, r);
      DoubleVector c = DoubleVector.broadcast(F64, COS5);
      c = c.fma(z, DoubleVector.broadcast(F64, COS4));
      c = c.fma(z, DoubleVector.broadcast(F64, COS3));
      c = c.fma(z, DoubleVector.broadcast(F64, COS2));
      c = c.fma(z, DoubleVector.broadcast(F64, COS1));
      c = c.fma(z, DoubleVector.broadcast(F64, COS0));
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
      v.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.cos(Memory.getDouble(src + i)));
    }
  }

  static void tan(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector t =
          x.fma(DoubleVector.broadcast(F64, TWO_OVER_PI), DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = DoubleVector.broadcast(F64, ROUND).sub(t);
      DoubleVector r = minus.fma(DoubleVector.broadcast(F64, PIO2_1), x);
      r = minus.fma(DoubleVector.broadcast(F64, PIO2_2), r);
      r = minus.fma(DoubleVector.broadcast(F64, PIO2_3), r);
      DoubleVector z = r.mul(r);
      DoubleVector s = DoubleVector.broadcast(F64, SIN6);
      s = s.fma(z, DoubleVector.broadcast(F64, SIN5));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN4));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN3));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN2));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN1));
      s = s.fma(z, DoubleVector.broadcast(F64, SIN0));
      s = r.mul(z).fma(s, r);
      DoubleVector c = DoubleVector.broadcast(F64, COS5);
      c = c.fma(z, DoubleVector.broadcast(F64, COS4));
      c = c.fma(z, DoubleVector.broadcast(F64, COS3));
      c = c.fma(z, DoubleVector.broadcast(F64, COS2));
      c = c.fma(z, DoubleVector.broadcast(F64, COS1));
      c = c.fma(z, DoubleVector.broadcast(F64, COS0));
      c = z.mul(z).fma(c, z.fma(DoubleVector.broadcast(F64, -0.5), DoubleVector.broadcast(F64, 1)));
      VectorMask<Double> odd =
          t.reinterpretAsLongs()
              .lanewise(VectorOperators.AND, 1)
              .compare(VectorOperators.NE, 0)
              .cast(F64);
      DoubleVector v = s.blend(c.neg(), odd).div(c.blend(s, odd));
      DoubleVector last = v.blend(x, x.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 0)));
      VectorMask<Double> large =
          x.abs().compare(VectorOperators.GT, DoubleVector.broadcast(F64, TRIG_MAX));
      if (large.anyTrue()) {
        last = tanEach(x, last, large.toLong());
      }
      last.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.tan(Memory.getDouble(src + i)));
    }
  }

  static void erf(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector a = x.abs();
      a =
          a.blend(
              DoubleVector.broadcast(F64, ERFC_MAX),
              a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, ERFC_MAX)));
      DoubleVector y =
          a.sub(DoubleVector.broadcast(F64, ERFC_CENTRE))
              .div(a.add(DoubleVector.broadcast(F64, ERFC_CENTRE)));
      DoubleVector g = DoubleVector.broadcast(F64, ERFC22);
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC21));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC20));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC19));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC18));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC17));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC16));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC15));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC14));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC13));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC12));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC11));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC10));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC9));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC8));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC7));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC6));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC5));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC4));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC3));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC2));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC1));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC0));
      DoubleVector square = a.mul(a).neg();
      DoubleVector t =
          square.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector k = t.sub(DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = k.neg();
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, LN2_LO),
              minus.fma(DoubleVector.broadcast(F64, LN2_HI), square));
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
              square.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, 0),
              square.compare(VectorOperators.LT, DoubleVector.broadcast(F64, EXP_MIN)));
      e = e.neg().fma(a.fma(a, square), e);
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
      DoubleVector p = DoubleVector.broadcast(F64, ERF11);
      p = p.fma(z, DoubleVector.broadcast(F64, ERF10));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF9));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF8));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF7));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF6));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF5));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF4));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF3));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF2));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF1));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF0));
      DoubleVector v =
          far.blend(x.mul(p), x.abs().compare(VectorOperators.LT, DoubleVector.broadcast(F64, 1)));
      v.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.erf(Memory.getDouble(src + i)));
    }
  }

  static void erfc(long src, long dst, long n) {
    long i = 0;
    for (long end = 8 * (n - n % F64.length()); i < end; i += 8L * F64.length()) {
      DoubleVector x = DoubleVector.fromMemorySegment(F64, Memory.ALL, src + i, nativeOrder());
      DoubleVector a = x.abs();
      a =
          a.blend(
              DoubleVector.broadcast(F64, ERFC_MAX),
              a.compare(VectorOperators.GT, DoubleVector.broadcast(F64, ERFC_MAX)));
      DoubleVector y =
          a.sub(DoubleVector.broadcast(F64, ERFC_CENTRE))
              .div(a.add(DoubleVector.broadcast(F64, ERFC_CENTRE)));
      DoubleVector g = DoubleVector.broadcast(F64, ERFC22);
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC21));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC20));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC19));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC18));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC17));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC16));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC15));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC14));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC13));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC12));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC11));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC10));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC9));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC8));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC7));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC6));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC5));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC4));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC3));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC2));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC1));
      g = g.fma(y, DoubleVector.broadcast(F64, ERFC0));
      DoubleVector square = a.mul(a).neg();
      DoubleVector t =
          square.fma(DoubleVector.broadcast(F64, LOG2_E), DoubleVector.broadcast(F64, ROUND));
      DoubleVector k = t.sub(DoubleVector.broadcast(F64, ROUND));
      DoubleVector minus = k.neg();
      DoubleVector r =
          minus.fma(
              DoubleVector.broadcast(F64, LN2_LO),
              minus.fma(DoubleVector.broadcast(F64, LN2_HI), square));
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
              square.compare(VectorOperators.GT, DoubleVector.broadcast(F64, EXP_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, 0),
              square.compare(VectorOperators.LT, DoubleVector.broadcast(F64, EXP_MIN)));
      e = e.neg().fma(a.fma(a, square), e);
      DoubleVector far =
          g.div(a.fma(DoubleVector.broadcast(F64, 2), DoubleVector.broadcast(F64, 1))).mul(e);
      DoubleVector v =
          far.blend(
              DoubleVector.broadcast(F64, 2).sub(far),
              x.compare(VectorOperators.LT, DoubleVector.broadcast(F64, 0)));
      DoubleVector z = x.mul(x);
      DoubleVector p = DoubleVector.broadcast(F64, ERF11);
      p = p.fma(z, DoubleVector.broadcast(F64, ERF10));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF9));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF8));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF7));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF6));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF5));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF4));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF3));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF2));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF1));
      p = p.fma(z, DoubleVector.broadcast(F64, ERF0));
      v =
          v.blend(
              x.neg().fma(p, DoubleVector.broadcast(F64, 1)),
              x.abs().compare(VectorOperators.LT, DoubleVector.broadcast(F64, 0.5)));
      v.intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 8 * n; i += 8) {
      Memory.putDouble(dst + i, ScalarMath.erfc(Memory.getDouble(src + i)));
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

  private static DoubleVector tanEach(DoubleVector x, DoubleVector v, long lanes) {
    double[] in = x.toArray();
    double[] out = v.toArray();
    for (int i = 0; i < in.length; i++) {
      if ((lanes >>> i & 1) != 0) {
        out[i] = StrictMath.tan(in[i]);
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
