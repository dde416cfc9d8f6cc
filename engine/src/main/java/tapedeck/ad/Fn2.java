package tapedeck.ad;

/** A function of two pytrees. */
@FunctionalInterface
public interface Fn2<A, B, R> {
  R apply(A a, B b);
}
