package tapedeck.ad;

/**
 * A compiled function of two pytrees; see {@link JitFn}.
 *
 * @param <A> first argument: a tensor or a pytree of tensors and static values
 * @param <B> second argument: a tensor or a pytree of tensors and static values
 * @param <R> result: a tensor or a pytree of tensors
 */
public final class JitFn2<A, B, R> extends JitFn implements Fn2<A, B, R> {
  JitFn2(Fn2<A, B, R> f, Donate donate) {
    super(Call.body(f), donate);
  }

  @Override
  @SuppressWarnings("unchecked")
  public R apply(A a, B b) {
    return (R) call(a, b);
  }
}
