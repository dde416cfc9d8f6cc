package tapedeck.ad;

/** A function of two pytrees. */
@FunctionalInterface
public interface Fn2<A, B, R> {
  /** Applies the function. */
  R apply(A a, B b);
}
