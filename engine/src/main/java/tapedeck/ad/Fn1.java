package tapedeck.ad;

/** A function of one pytree. */
@FunctionalInterface
public interface Fn1<A, R> {
  /** Applies the function. */
  R apply(A a);
}
