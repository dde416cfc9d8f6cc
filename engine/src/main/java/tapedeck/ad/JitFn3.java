package tapedeck.ad;

/**
 * A compiled function of three pytrees; see {@link JitFn}.
 *
 * @param <A> first argument: a tensor or a pytree of tensors and static values
 * @param <B> second argument: a tensor or a pytree of tensors and static values
 * @param <C> third argument: a tensor or a pytree of tensors and static values
 * @param <R> result: a tensor or a pytree of tensors
 */
public final class JitFn3<A, B, C, R> extends JitFn implements Fn3<A, B, C, R> {
  JitFn3(Fn3<A, B, C, R> f, Donate donate) {
    super(Call.body(f), donate);
  }

  @Override
  @SuppressWarnings("unchecked")
  public R apply(A a, B b, C c) {
    return (R) call(a, b, c);
  }
}
