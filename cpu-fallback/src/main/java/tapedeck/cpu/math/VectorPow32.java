package tapedeck.cpu.math;

import static java.nio.ByteOrder.nativeOrder;
import static tapedeck.cpu.math.Coefficients.EXP0;
import static tapedeck.cpu.math.Coefficients.EXP1;
import static tapedeck.cpu.math.Coefficients.EXP2;
import static tapedeck.cpu.math.Coefficients.EXP3;
import static tapedeck.cpu.math.Coefficients.EXP4;
import static tapedeck.cpu.math.Coefficients.EXP5;
import static tapedeck.cpu.math.Coefficients.EXP6;
import static tapedeck.cpu.math.Coefficients.LN2;
import static tapedeck.cpu.math.Coefficients.LOG2_0;
import static tapedeck.cpu.math.Coefficients.LOG2_1;
import static tapedeck.cpu.math.Coefficients.LOG2_2;
import static tapedeck.cpu.math.Coefficients.LOG2_3;
import static tapedeck.cpu.math.Coefficients.LOG2_4;
import static tapedeck.cpu.math.Coefficients.LOG2_5;
import static tapedeck.cpu.math.Coefficients.LOG_CARRY;
import static tapedeck.cpu.math.Coefficients.MANTISSA;
import static tapedeck.cpu.math.Coefficients.POW_EVEN;
import static tapedeck.cpu.math.Coefficients.POW_MAX;
import static tapedeck.cpu.math.Coefficients.ROUND;
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

/** Powers on blocks of float32, in the steps of {@link ScalarFloat#pow} with lanes of float64. */
final class VectorPow32 {
  private static final VectorSpecies<Double> F64 = DoubleVector.SPECIES_PREFERRED;

  /** As many lanes of float32. */
  private static final VectorSpecies<Float> HALF =
      VectorSpecies.of(float.class, VectorShape.forBitSize(F64.vectorBitSize() / 2));

  private VectorPow32() {}

  static void pow(long a, long b, long dst, long n) {
    long i = 0;
    for (long end = 4 * (n - n % F64.length()); i < end; i += 4L * F64.length()) {
      FloatVector narrow = FloatVector.fromMemorySegment(HALF, Memory.ALL, a + i, nativeOrder());
      DoubleVector x = (DoubleVector) narrow.castShape(F64, 0);
      DoubleVector by =
          (DoubleVector)
              FloatVector.fromMemorySegment(HALF, Memory.ALL, b + i, nativeOrder())
                  .castShape(F64, 0);
      DoubleVector base = x.abs();
      LongVector u = base.reinterpretAsLongs().add(LOG_CARRY);
      DoubleVector k =
          u.lanewise(VectorOperators.LSHR, 52)
              .lanewise(VectorOperators.OR, TWO52)
              .reinterpretAsDoubles()
              .sub(DoubleVector.broadcast(F64, TWO52_BIAS));
      VectorMask<Double> isZero = base.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 0));
      VectorMask<Double> isInfinite =
          base.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, Double.POSITIVE_INFINITY));
      k =
          k.blend(DoubleVector.broadcast(F64, Double.NEGATIVE_INFINITY), isZero)
              .blend(base, isInfinite);
      DoubleVector f =
          u.lanewise(VectorOperators.AND, MANTISSA)
              .add(SQRT_HALF)
              .reinterpretAsDoubles()
              .sub(DoubleVector.broadcast(F64, 1));
      DoubleVector s = f.div(f.add(DoubleVector.broadcast(F64, 2)));
      DoubleVector z = s.mul(s);
      DoubleVector p = DoubleVector.broadcast(F64, LOG2_5);
      p = p.fma(z, DoubleVector.broadcast(F64, LOG2_4));
      p = p.fma(z, DoubleVector.broadcast(F64, LOG2_3));
      p = p.fma(z, DoubleVector.broadcast(F64, LOG2_2));
      p = p.fma(z, DoubleVector.broadcast(F64, LOG2_1));
      p = p.fma(z, DoubleVector.broadcast(F64, LOG2_0));
      DoubleVector e = s.fma(p, k).mul(by);
      e =
          e.blend(
              DoubleVector.broadcast(F64, POW_MAX),
              e.compare(VectorOperators.GT, DoubleVector.broadcast(F64, POW_MAX)));
      e =
          e.blend(
              DoubleVector.broadcast(F64, -POW_MAX),
              e.compare(VectorOperators.LT, DoubleVector.broadcast(F64, -POW_MAX)));
      DoubleVector t = e.add(DoubleVector.broadcast(F64, ROUND));
      DoubleVector r =
          e.sub(t.sub(DoubleVector.broadcast(F64, ROUND))).mul(DoubleVector.broadcast(F64, LN2));
      DoubleVector w = DoubleVector.broadcast(F64, EXP6);
      w = w.fma(r, DoubleVector.broadcast(F64, EXP5));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP4));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP3));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP2));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP1));
      w = w.fma(r, DoubleVector.broadcast(F64, EXP0));
      w = r.mul(r).fma(w, r).add(DoubleVector.broadcast(F64, 1));
      DoubleVector v =
          w.mul(
              t.reinterpretAsLongs()
                  .add(1023)
                  .lanewise(VectorOperators.LSHL, 52)
                  .reinterpretAsDoubles());
      DoubleVector unit =
          by.blend(DoubleVector.broadcast(F64, 1), by.compare(VectorOperators.EQ, by));
      v = v.blend(unit, base.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 1)));
      VectorMask<Double> huge =
          by.abs().compare(VectorOperators.GE, DoubleVector.broadcast(F64, POW_EVEN));
      DoubleVector half = by.mul(DoubleVector.broadcast(F64, 0.5));
      VectorMask<Double> whole =
          by.add(DoubleVector.broadcast(F64, ROUND))
              .sub(DoubleVector.broadcast(F64, ROUND))
              .compare(VectorOperators.EQ, by)
              .or(huge);
      VectorMask<Double> even =
          half.add(DoubleVector.broadcast(F64, ROUND))
              .sub(DoubleVector.broadcast(F64, ROUND))
              .compare(VectorOperators.EQ, half)
              .or(huge);
      DoubleVector turned = v.neg().blend(v, even);
      DoubleVector below =
          DoubleVector.broadcast(F64, Double.NaN)
              .blend(v, isZero.or(isInfinite))
              .blend(turned, whole);
      v = v.blend(below, x.reinterpretAsLongs().compare(VectorOperators.LT, 0).cast(F64));
      v = v.blend(DoubleVector.broadcast(F64, Double.NaN), x.compare(VectorOperators.NE, x));
      v =
          v.blend(
              DoubleVector.broadcast(F64, 1),
              x.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 1))
                  .or(by.compare(VectorOperators.EQ, DoubleVector.broadcast(F64, 0))));
      ((FloatVector) v.castShape(HALF, 0)).intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
    }
    for (; i < 4 * n; i += 4) {
      Memory.putFloat(dst + i, ScalarFloat.pow(Memory.getFloat(a + i), Memory.getFloat(b + i)));
    }
  }
}
