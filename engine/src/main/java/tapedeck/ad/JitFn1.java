package tapedeck.ad;

/**
 * A compiled function of one pytree; see {@link JitFn}.
 *
 * @param <A> argument: a tensor or a pytree of tensors and static values
 * @param <R> result: a tensor or a pytree of tensors
 */
public final class JitFn1<A, R> extends JitFn implements Fn1<A, R> {
  JitFn1(Fn1<A, R> f, Donate donate) {
    super(Call.body(f), donate);
  }

  @Override
  @SuppressWarnings("unchecked")
  public R apply(A a) {
    return (R) call(new Object[] {a});
  }
}
