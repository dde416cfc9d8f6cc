package tapedeck.ad.kir;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Element index in canonical form: {@code base + sum(coef * atom)}, with at most one term per atom.
 * Where all atoms are loops the index is affine and {@link #coef} gives its strides. Views
 * (reshape, transpose, slice, pad, flip, broadcast) only ever change indices.
 *
 * @param base constant part
 * @param terms the rest, in a fixed order, so that equal sums are equal records
 */
public record Index(long base, List<Term> terms) {

  /** What a term multiplies. */
  public sealed interface Atom permits Var, Div, Mod, Dyn {}

  /**
   * A loop variable.
   *
   * @param loop a loop of the kernel or of one of its phases
   */
  public record Var(Loop loop) implements Atom {}

  /**
   * {@code arg / by}, where arg is not negative whenever the value is used and by is positive.
   *
   * @param arg dividend
   * @param by divisor
   */
  public record Div(Index arg, long by) implements Atom {}

  /**
   * {@code arg % by}, under the same conditions as {@link Div}.
   *
   * @param arg dividend
   * @param by divisor
   */
  public record Mod(Index arg, long by) implements Atom {}

  /**
   * A data-dependent int32 value, which its expression keeps within [0, extent).
   *
   * @param value int32 expression
   * @param extent upper bound, not reached
   */
  public record Dyn(Expr value, long extent) implements Atom {}

  /**
   * A multiple of an atom.
   *
   * @param coef factor, not 0
   * @param atom what it multiplies
   */
  public record Term(long coef, Atom atom) {}

  /** The index 0. */
  public static final Index ZERO = new Index(0, List.of());

  /**
   * {@return a constant index}
   *
   * @param base its value
   */
  public static Index of(long base) {
    return base == 0 ? ZERO : new Index(base, List.of());
  }

  /**
   * {@return a loop variable, or 0 if the loop has one round}
   *
   * @param loop a loop of the kernel
   */
  public static Index of(Loop loop) {
    return loop.extent() == 1 ? ZERO : new Index(0, List.of(new Term(1, new Var(loop))));
  }

  /**
   * {@return a data-dependent index, or 0 if the extent is 1}
   *
   * @param value int32 expression with values in [0, extent)
   * @param extent upper bound, not reached
   */
  public static Index of(Expr value, long extent) {
    return extent == 1 ? ZERO : new Index(0, List.of(new Term(1, new Dyn(value, extent))));
  }

  /** {@return whether there is no term, so that the value is {@link #base}} */
  public boolean isConst() {
    return terms.isEmpty();
  }

  /**
   * {@return this index plus a constant}
   *
   * @param c the constant, of any sign
   */
  public Index plus(long c) {
    return c == 0 ? this : new Index(base + c, terms);
  }

  /**
   * {@return the sum in canonical form; {@code (x/c)*c + x%c} becomes x again}
   *
   * @param o the other summand
   */
  public Index plus(Index o) {
    if (o.isConst()) {
      return plus(o.base);
    }
    if (isConst()) {
      return o.plus(base);
    }
    List<Term> sum = new ArrayList<>(terms);
    for (Term t : o.terms) {
      int at = -1;
      for (int i = 0; i < sum.size() && at < 0; i++) {
        at = sum.get(i).atom().equals(t.atom()) ? i : -1;
      }
      if (at < 0) {
        sum.add(t);
      } else {
        long c = sum.get(at).coef() + t.coef();
        if (c == 0) {
          sum.remove(at);
        } else {
          sum.set(at, new Term(c, t.atom()));
        }
      }
    }
    // NB: a fixed order makes equal sums equal records.
    sum.sort(ORDER);
    return recombine(new Index(base + o.base, List.copyOf(sum)));
  }

  /**
   * {@return this index times a constant}
   *
   * @param c the factor, of any sign
   */
  public Index times(long c) {
    if (c == 0) {
      return ZERO;
    }
    if (c == 1) {
      return this;
    }
    List<Term> out = new ArrayList<>(terms.size());
    for (Term t : terms) {
      out.add(new Term(t.coef() * c, t.atom()));
    }
    return new Index(base * c, List.copyOf(out));
  }

  /**
   * {@return the quotient by a positive constant, simplified with the bounds of the atoms}
   *
   * @param by divisor, at least 1; this index must not be negative where the value is used
   */
  public Index div(long by) {
    if (by == 1) {
      return this;
    }
    Split s = split(by);
    if (s.rest.min() >= 0 && s.rest.max() < by) {
      return s.whole;
    }
    return s.whole.plus(new Index(0, List.of(new Term(1, nestedDiv(s.rest, by)))));
  }

  /**
   * {@return the remainder by a positive constant, simplified with the bounds of the atoms}
   *
   * @param by divisor, at least 1; this index must not be negative where the value is used
   */
  public Index mod(long by) {
    if (by == 1) {
      return ZERO;
    }
    Split s = split(by);
    if (s.rest.min() >= 0 && s.rest.max() < by) {
      return s.rest;
    }
    return new Index(0, List.of(new Term(1, new Mod(s.rest, by))));
  }

  private static Atom nestedDiv(Index rest, long by) {
    if (rest.base == 0
        && rest.terms.size() == 1
        && rest.terms.get(0).coef() == 1
        && rest.terms.get(0).atom() instanceof Div d) {
      return new Div(d.arg(), d.by() * by);
    }
    return new Div(rest, by);
  }

  private record Split(Index whole, Index rest) {}

  /**
   * this = whole * by + rest, with multiples of {@code by} moved into whole as long as rest is not
   * negative.
   */
  private Split split(long by) {
    List<Term> whole = new ArrayList<>();
    List<Term> rest = new ArrayList<>();
    for (Term t : terms) {
      if (t.coef() % by == 0) {
        whole.add(new Term(t.coef() / by, t.atom()));
      } else {
        rest.add(t);
      }
    }
    Index r = new Index(Math.floorMod(base, by), List.copyOf(rest));
    // Terms that count down (a flipped axis) need some of the base back.
    long back = Math.ceilDiv(-Math.min(0, r.min()), by);
    return new Split(
        new Index(Math.floorDiv(base, by) - back, List.copyOf(whole)), r.plus(back * by));
  }

  /** Joins (x/c)*c + x%c back into x, which a reshape that is undone leaves behind. */
  private static Index recombine(Index s) {
    for (int i = 0; i < s.terms.size(); i++) {
      if (s.terms.get(i).atom() instanceof Mod m) {
        for (int j = 0; j < s.terms.size(); j++) {
          if (s.terms.get(j).atom() instanceof Div d
              && d.by() == m.by()
              && d.arg().equals(m.arg())
              && s.terms.get(j).coef() == s.terms.get(i).coef() * m.by()) {
            List<Term> left = new ArrayList<>(s.terms);
            left.remove(Math.max(i, j));
            left.remove(Math.min(i, j));
            return new Index(s.base, List.copyOf(left)).plus(m.arg().times(s.terms.get(i).coef()));
          }
        }
      }
    }
    return s;
  }

  /** {@return a lower bound over the loops' ranges, attained where the index is affine} */
  public long min() {
    long v = base;
    for (Term t : terms) {
      v += t.coef() > 0 ? t.coef() * min(t.atom()) : t.coef() * max(t.atom());
    }
    return v;
  }

  /** {@return an upper bound over the loops' ranges, attained where the index is affine} */
  public long max() {
    long v = base;
    for (Term t : terms) {
      v += t.coef() > 0 ? t.coef() * max(t.atom()) : t.coef() * min(t.atom());
    }
    return v;
  }

  private static long min(Atom a) {
    return switch (a) {
      case Var v -> 0;
      case Div d -> Math.floorDiv(d.arg().min(), d.by());
      case Mod m -> 0;
      case Dyn d -> 0;
    };
  }

  private static long max(Atom a) {
    return switch (a) {
      case Var v -> v.loop().extent() - 1;
      case Div d -> Math.floorDiv(d.arg().max(), d.by());
      case Mod m -> m.by() - 1;
      case Dyn d -> d.extent() - 1;
    };
  }

  /** {@return whether every atom is a loop variable} */
  public boolean isAffine() {
    for (Term t : terms) {
      if (!(t.atom() instanceof Var)) {
        return false;
      }
    }
    return true;
  }

  /**
   * {@return whether the value can change when the loop variable does}
   *
   * @param loop a loop of the kernel
   */
  public boolean dependsOn(Loop loop) {
    for (Term t : terms) {
      boolean hit =
          switch (t.atom()) {
            case Var v -> v.loop().equals(loop);
            case Div d -> d.arg().dependsOn(loop);
            case Mod m -> m.arg().dependsOn(loop);
            case Dyn d -> d.value().dependsOn(loop);
          };
      if (hit) {
        return true;
      }
    }
    return false;
  }

  /**
   * {@return the same index over other loops; data-dependent atoms stay as they are}
   *
   * @param loops from each loop that occurs to the one that takes its place
   */
  public Index rename(UnaryOperator<Loop> loops) {
    Index out = of(base);
    for (Term t : terms) {
      Atom a =
          switch (t.atom()) {
            case Var v -> new Var(loops.apply(v.loop()));
            case Div d -> new Div(d.arg().rename(loops), d.by());
            case Mod m -> new Mod(m.arg().rename(loops), m.by());
            case Dyn d -> d;
          };
      out = out.plus(new Index(0, List.of(new Term(t.coef(), a))));
    }
    return out;
  }

  /**
   * {@return the stride along a loop variable where it occurs as a plain term, else 0}
   *
   * @param loop a loop of the kernel
   */
  public long coef(Loop loop) {
    for (Term t : terms) {
      if (t.atom() instanceof Var v && v.loop().equals(loop)) {
        return t.coef();
      }
    }
    return 0;
  }

  private static final Comparator<Term> ORDER =
      Comparator.comparingInt((Term t) -> rank(t.atom())).thenComparingLong(t -> -t.coef());

  private static int rank(Atom a) {
    return switch (a) {
      case Var v -> v.loop().id();
      case Div d -> 1 << 20;
      case Mod m -> 1 << 21;
      case Dyn d -> 1 << 22;
    };
  }

  @Override
  public String toString() {
    if (terms.isEmpty()) {
      return Long.toString(base);
    }
    StringBuilder s = new StringBuilder();
    for (Term t : terms) {
      String a =
          switch (t.atom()) {
            case Var v -> "i" + v.loop().id();
            case Div d -> "(" + d.arg() + ")/" + d.by();
            case Mod m -> "(" + m.arg() + ")%" + m.by();
            case Dyn d -> "[" + d.value() + "]";
          };
      s.append(s.isEmpty() ? "" : "+").append(t.coef() == 1 ? a : t.coef() + "*" + a);
    }
    return base == 0 ? s.toString() : s.append(base > 0 ? "+" : "").append(base).toString();
  }
}
