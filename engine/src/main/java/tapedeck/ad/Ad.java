package tapedeck.ad;

import java.util.Set;
import java.util.function.Supplier;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.run.InlineCustom;
import tapedeck.ad.run.ScheduleText;
import tapedeck.ad.run.TensorScope;
import tapedeck.ad.schedule.Scheduler;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.transform.Pytree;

/**
 * Transforms of Java functions over tensors. Every transform takes a function and returns a
 * function of the same kind, so they nest in any order: {@code jit(vmap(grad(f)))}, {@code grad(x
 * -> jvp(f, x, v).tangent())}.
 *
 * <p>Arguments and results are pytrees: a {@link Tensor}; a record, list, map with string keys or
 * array of pytrees; or a static value, which is anything else and is compared with {@code equals}.
 * A function is called once with traced tensors, which have a shape and a type but no value, and
 * must therefore choose between values with {@link Tensor#where} and not with {@code if}. Without a
 * traced tensor around, the result is computed at once, as one batch of kernels.
 *
 * <p>Errors are {@link tapedeck.ad.type.TapedeckException}s whose message names the transform, what
 * is wrong with which types, and the caller's line.
 */
public final class Ad {
  private Ad() {}

  // ---- gradients ----------------------------------------------------------------------------

  /**
   * The gradient of a scalar function by reverse mode, with respect to the first argument and in
   * its structure.
   *
   * @param <A> argument: a tensor or a pytree of tensors, all of float types
   * @param f from an argument to a scalar of a float type
   * @return a function that traces {@code f} at each call and gives the gradient there
   * @throws tapedeck.ad.type.ShapeException (from the returned function) if the result is no scalar
   * @throws tapedeck.ad.type.DTypeException (from the returned function) if a tensor of the first
   *     argument or the result is not of a float type
   * @throws tapedeck.ad.type.TracingException (from the returned function) if the result is not one
   *     tensor
   */
  @SuppressWarnings("unchecked")
  public static <A> Fn1<A, A> grad(Fn1<A, Tensor> f) {
    return (a) -> (A) Gradients.grad("grad", Call.body(f), a);
  }

  /**
   * As {@link #grad(Fn1)}, for a function of 2 arguments.
   *
   * @param <A> first argument: a tensor or a pytree of tensors, all of float types
   * @param <B> second argument: a tensor or a pytree of tensors of any type
   * @param f from the arguments to a scalar of a float type
   * @return a function to the gradient with respect to the first argument
   */
  @SuppressWarnings("unchecked")
  public static <A, B> Fn2<A, B, A> grad(Fn2<A, B, Tensor> f) {
    return (a, b) -> (A) Gradients.grad("grad", Call.body(f), a, b);
  }

  /**
   * As {@link #grad(Fn1)}, for a function of 3 arguments.
   *
   * @param <A> first argument: a tensor or a pytree of tensors, all of float types
   * @param <B> second argument: a tensor or a pytree of tensors of any type
   * @param <C> third argument: a tensor or a pytree of tensors of any type
   * @param f from the arguments to a scalar of a float type
   * @return a function to the gradient with respect to the first argument
   */
  @SuppressWarnings("unchecked")
  public static <A, B, C> Fn3<A, B, C, A> grad(Fn3<A, B, C, Tensor> f) {
    return (a, b, c) -> (A) Gradients.grad("grad", Call.body(f), a, b, c);
  }

  /**
   * As {@link #grad(Fn1)}, together with the function's value.
   *
   * @param <A> argument: a tensor or a pytree of tensors, all of float types
   * @param f from an argument to a scalar of a float type
   * @return a function to both, which runs {@code f} once
   */
  @SuppressWarnings("unchecked")
  public static <A> Fn1<A, ValueAndGrad<A>> valueAndGrad(Fn1<A, Tensor> f) {
    return (a) -> (ValueAndGrad<A>) Gradients.valueAndGrad("valueAndGrad", Call.body(f), a);
  }

  /**
   * As {@link #grad(Fn2)}, together with the function's value.
   *
   * @param <A> first argument: a tensor or a pytree of tensors, all of float types
   * @param <B> second argument: a tensor or a pytree of tensors of any type
   * @param f from the arguments to a scalar of a float type
   * @return a function to both, which runs {@code f} once
   */
  @SuppressWarnings("unchecked")
  public static <A, B> Fn2<A, B, ValueAndGrad<A>> valueAndGrad(Fn2<A, B, Tensor> f) {
    return (a, b) -> (ValueAndGrad<A>) Gradients.valueAndGrad("valueAndGrad", Call.body(f), a, b);
  }

  /**
   * As {@link #grad(Fn3)}, together with the function's value.
   *
   * @param <A> first argument: a tensor or a pytree of tensors, all of float types
   * @param <B> second argument: a tensor or a pytree of tensors of any type
   * @param <C> third argument: a tensor or a pytree of tensors of any type
   * @param f from the arguments to a scalar of a float type
   * @return a function to both, which runs {@code f} once
   */
  @SuppressWarnings("unchecked")
  public static <A, B, C> Fn3<A, B, C, ValueAndGrad<A>> valueAndGrad(Fn3<A, B, C, Tensor> f) {
    return (a, b, c) ->
        (ValueAndGrad<A>) Gradients.valueAndGrad("valueAndGrad", Call.body(f), a, b, c);
  }

  /**
   * {@return a pytree whose tensors have the same values and derivative zero}
   *
   * @param <A> a tensor or a pytree of tensors
   * @param tree tensors of any type; those not of a float type stay as they are
   */
  @SuppressWarnings("unchecked")
  public static <A> A stopGradient(A tree) {
    Pytree.Flat f = Pytree.flatten(tree);
    return (A)
        f.tree()
            .unflatten(
                f.leaves().stream().map(t -> t.dtype().isFloat() ? t.stopGradient() : t).toList());
  }

  /**
   * A function with a reverse rule of its own, which vmap maps along with it. Forward mode
   * differentiates the function itself.
   *
   * @param <A> argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param <S> residuals: a tensor or a pytree of tensors
   * @param f the function; it must not use traced tensors from outside
   * @param fwd the same result, and a pytree of residuals for {@code bwd}
   * @param bwd from residuals and the cotangent of the result to the cotangent of the argument, in
   *     the argument's structure; entries for tensors that are not of a float type are ignored
   * @return a function that computes {@code f}
   * @throws tapedeck.ad.type.TracingException (from the returned function) if {@code f} uses a
   *     traced tensor from outside, or a rule's result has another structure
   * @throws tapedeck.ad.type.ShapeException (from the returned function) if a tensor of a rule's
   *     result has another shape
   * @throws tapedeck.ad.type.DTypeException (from the returned function) if a tensor of a rule's
   *     result has another type
   */
  public static <A, R, S> Fn1<A, R> customVjp(
      Fn1<A, R> f, Fn1<A, Forward<R, S>> fwd, Fn2<S, R, A> bwd) {
    return a -> CustomRule.apply(f, fwd, bwd, a);
  }

  // ---- tangents, pullbacks, Jacobians -------------------------------------------------------

  /**
   * Value and directional derivative at {@code x} along {@code dx} by forward mode.
   *
   * @param <A> argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function
   * @param x where it is differentiated
   * @param dx in the structure of {@code x}; entries that are not of a float type are ignored, and
   *     constant zeros, such as {@link Tensor#zerosLike()}, cost nothing: nothing is multiplied by
   *     them, so a derivative that is infinite does not make NaN of them
   * @return the function's result and its derivative along {@code dx}
   * @throws tapedeck.ad.type.TracingException if {@code dx} has another structure than {@code x}
   * @throws tapedeck.ad.type.ShapeException if a tensor of {@code dx} has another shape
   * @throws tapedeck.ad.type.DTypeException if a tensor of {@code dx} has another type
   */
  @SuppressWarnings("unchecked")
  public static <A, R> Jvp<R> jvp(Fn1<A, R> f, A x, A dx) {
    return (Jvp<R>) Gradients.jvp("jvp", Call.body(f), x, dx);
  }

  /**
   * Value at {@code x} and a function that pulls cotangents of the result back to the argument. The
   * value is computed now and what the pullback needs is kept, so it may be called repeatedly.
   *
   * @param <A> argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function
   * @param x where it is differentiated
   * @return the function's result and the pullback, which throws what {@link #jvp} does if a
   *     cotangent is not like the result
   */
  @SuppressWarnings("unchecked")
  public static <A, R> Vjp<A, R> vjp(Fn1<A, R> f, A x) {
    Vjp<Object, Object> v = Gradients.vjp("vjp", Call.body(f), x);
    return new Vjp<>((R) v.value(), ct -> (A) v.pullback().apply(ct));
  }

  /**
   * The Jacobian by forward mode, best for few inputs: one column per element of the argument.
   *
   * @param f from a float tensor to a float tensor
   * @return a function to the Jacobian, of shape (result's shape, argument's shape)
   * @throws tapedeck.ad.type.DTypeException (from the returned function) if argument or result is
   *     not of a float type
   * @throws tapedeck.ad.type.TracingException (from the returned function) if the result is not one
   *     tensor
   */
  public static Fn1<Tensor, Tensor> jacfwd(Fn1<Tensor, Tensor> f) {
    return x -> Jacobians.forward(Call.body(f), x);
  }

  /**
   * As {@link #jacfwd}, by reverse mode, best for few outputs: one row per element of the result.
   *
   * @param f from a float tensor to a float tensor
   * @return a function to the Jacobian, of shape (result's shape, argument's shape)
   */
  public static Fn1<Tensor, Tensor> jacrev(Fn1<Tensor, Tensor> f) {
    return x -> Jacobians.reverse(Call.body(f), x);
  }

  /**
   * The matrix of second derivatives of a scalar function, by forward over reverse mode.
   *
   * @param f from a float tensor to a scalar of a float type
   * @return a function to the Hessian, of shape (argument's shape) twice
   */
  public static Fn1<Tensor, Tensor> hessian(Fn1<Tensor, Tensor> f) {
    return jacfwd(grad(f));
  }

  /**
   * Product of the Hessian of a scalar function at {@code x} with {@code v}, by forward over
   * reverse mode: about the price of two gradients, whatever the size.
   *
   * @param <A> argument: a tensor or a pytree of tensors, all of float types
   * @param f from an argument to a scalar of a float type
   * @param x where the Hessian is taken
   * @param v in the structure and types of {@code x}
   * @return the product, in the structure of {@code x}
   */
  public static <A> A hvp(Fn1<A, Tensor> f, A x, A v) {
    return jvp(grad(f), x, v).tangent();
  }

  // ---- batches ------------------------------------------------------------------------------

  /**
   * The function mapped over the leading axis of every tensor of all arguments and results.
   *
   * @param <A> argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function of one example
   * @return the function of a batch, in one pass and not in a loop
   * @throws tapedeck.ad.type.ShapeException (from the returned function) if a tensor has no such
   *     axis, or extents differ
   * @throws tapedeck.ad.type.TracingException (from the returned function) if no tensor is mapped
   */
  public static <A, R> Fn1<A, R> vmap(Fn1<A, R> f) {
    return vmap(f, Batching.leading(1), 0);
  }

  /**
   * The function mapped over chosen axes; results get the batch as their leading axis.
   *
   * @param <A> argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function of one example
   * @param in the mapped axis
   * @return the function of a batch
   */
  public static <A, R> Fn1<A, R> vmap(Fn1<A, R> f, In.Axes in) {
    return vmap(f, in, 0);
  }

  /**
   * The function mapped over chosen axes.
   *
   * @param <A> argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function of one example
   * @param in the mapped axis of each argument; all mapped axes must have one extent
   * @param out position of the batch axis in every result; may be negative
   * @return the function of a batch
   * @throws tapedeck.ad.type.ShapeException (from the returned function) if a tensor has no such
   *     axis, or extents differ
   * @throws tapedeck.ad.type.TracingException (from the returned function) if {@code in} is for
   *     another number of arguments, or no tensor is mapped
   */
  @SuppressWarnings("unchecked")
  public static <A, R> Fn1<A, R> vmap(Fn1<A, R> f, In.Axes in, int out) {
    return (a) -> (R) Batching.vmap(Call.body(f), in, out, new Object[] {a});
  }

  /**
   * As {@link #vmap(Fn1)}, for a function of 2 arguments.
   *
   * @param <A> first argument: a tensor or a pytree of tensors
   * @param <B> second argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function of one example
   * @return the function of a batch
   */
  public static <A, B, R> Fn2<A, B, R> vmap(Fn2<A, B, R> f) {
    return vmap(f, Batching.leading(2), 0);
  }

  /**
   * The function mapped over chosen axes; results get the batch as their leading axis.
   *
   * @param <A> first argument: a tensor or a pytree of tensors
   * @param <B> second argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function of one example
   * @param in the mapped axis of each argument
   * @return the function of a batch
   */
  public static <A, B, R> Fn2<A, B, R> vmap(Fn2<A, B, R> f, In.Axes in) {
    return vmap(f, in, 0);
  }

  /**
   * As {@link #vmap(Fn1, In.Axes, int)}, for a function of 2 arguments.
   *
   * @param <A> first argument: a tensor or a pytree of tensors
   * @param <B> second argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function of one example
   * @param in the mapped axis of each argument
   * @param out position of the batch axis in every result; may be negative
   * @return the function of a batch
   */
  @SuppressWarnings("unchecked")
  public static <A, B, R> Fn2<A, B, R> vmap(Fn2<A, B, R> f, In.Axes in, int out) {
    return (a, b) -> (R) Batching.vmap(Call.body(f), in, out, a, b);
  }

  /**
   * As {@link #vmap(Fn1)}, for a function of 3 arguments.
   *
   * @param <A> first argument: a tensor or a pytree of tensors
   * @param <B> second argument: a tensor or a pytree of tensors
   * @param <C> third argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function of one example
   * @return the function of a batch
   */
  public static <A, B, C, R> Fn3<A, B, C, R> vmap(Fn3<A, B, C, R> f) {
    return vmap(f, Batching.leading(3), 0);
  }

  /**
   * The function mapped over chosen axes; results get the batch as their leading axis.
   *
   * @param <A> first argument: a tensor or a pytree of tensors
   * @param <B> second argument: a tensor or a pytree of tensors
   * @param <C> third argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function of one example
   * @param in the mapped axis of each argument
   * @return the function of a batch
   */
  public static <A, B, C, R> Fn3<A, B, C, R> vmap(Fn3<A, B, C, R> f, In.Axes in) {
    return vmap(f, in, 0);
  }

  /**
   * As {@link #vmap(Fn1, In.Axes, int)}, for a function of 3 arguments.
   *
   * @param <A> first argument: a tensor or a pytree of tensors
   * @param <B> second argument: a tensor or a pytree of tensors
   * @param <C> third argument: a tensor or a pytree of tensors
   * @param <R> result: a tensor or a pytree of tensors
   * @param f the function of one example
   * @param in the mapped axis of each argument
   * @param out position of the batch axis in every result; may be negative
   * @return the function of a batch
   */
  @SuppressWarnings("unchecked")
  public static <A, B, C, R> Fn3<A, B, C, R> vmap(Fn3<A, B, C, R> f, In.Axes in, int out) {
    return (a, b, c) -> (R) Batching.vmap(Call.body(f), in, out, a, b, c);
  }

  // ---- compilation --------------------------------------------------------------------------

  /**
   * The function compiled once per structure, types, static values and device; see {@link JitFn}.
   *
   * @param <A> argument: a tensor or a pytree of tensors and static values
   * @param <R> result: a tensor or a pytree of tensors
   * @param f is traced at the first call of each kind, and not run after that
   * @return the compiled function, with a cache of its own
   */
  public static <A, R> JitFn1<A, R> jit(Fn1<A, R> f) {
    return new JitFn1<>(f, Donate.NONE);
  }

  /**
   * As {@link #jit(Fn1)}; the memory of donated arguments is reused for results.
   *
   * @param <A> argument: a tensor or a pytree of tensors and static values
   * @param <R> result: a tensor or a pytree of tensors
   * @param f is traced at the first call of each kind, and not run after that
   * @param donate which arguments a call takes over
   * @return the compiled function, with a cache of its own
   */
  public static <A, R> JitFn1<A, R> jit(Fn1<A, R> f, Donate donate) {
    return new JitFn1<>(f, donate);
  }

  /**
   * The function compiled once per structure, types, static values and device; see {@link JitFn}.
   *
   * @param <A> first argument: a tensor or a pytree of tensors and static values
   * @param <B> second argument: a tensor or a pytree of tensors and static values
   * @param <R> result: a tensor or a pytree of tensors
   * @param f is traced at the first call of each kind, and not run after that
   * @return the compiled function, with a cache of its own
   */
  public static <A, B, R> JitFn2<A, B, R> jit(Fn2<A, B, R> f) {
    return new JitFn2<>(f, Donate.NONE);
  }

  /**
   * As {@link #jit(Fn2)}; the memory of donated arguments is reused for results.
   *
   * @param <A> first argument: a tensor or a pytree of tensors and static values
   * @param <B> second argument: a tensor or a pytree of tensors and static values
   * @param <R> result: a tensor or a pytree of tensors
   * @param f is traced at the first call of each kind, and not run after that
   * @param donate which arguments a call takes over
   * @return the compiled function, with a cache of its own
   */
  public static <A, B, R> JitFn2<A, B, R> jit(Fn2<A, B, R> f, Donate donate) {
    return new JitFn2<>(f, donate);
  }

  /**
   * The function compiled once per structure, types, static values and device; see {@link JitFn}.
   *
   * @param <A> first argument: a tensor or a pytree of tensors and static values
   * @param <B> second argument: a tensor or a pytree of tensors and static values
   * @param <C> third argument: a tensor or a pytree of tensors and static values
   * @param <R> result: a tensor or a pytree of tensors
   * @param f is traced at the first call of each kind, and not run after that
   * @return the compiled function, with a cache of its own
   */
  public static <A, B, C, R> JitFn3<A, B, C, R> jit(Fn3<A, B, C, R> f) {
    return new JitFn3<>(f, Donate.NONE);
  }

  /**
   * As {@link #jit(Fn3)}; the memory of donated arguments is reused for results.
   *
   * @param <A> first argument: a tensor or a pytree of tensors and static values
   * @param <B> second argument: a tensor or a pytree of tensors and static values
   * @param <C> third argument: a tensor or a pytree of tensors and static values
   * @param <R> result: a tensor or a pytree of tensors
   * @param f is traced at the first call of each kind, and not run after that
   * @param donate which arguments a call takes over
   * @return the compiled function, with a cache of its own
   */
  public static <A, B, C, R> JitFn3<A, B, C, R> jit(Fn3<A, B, C, R> f, Donate donate) {
    return new JitFn3<>(f, donate);
  }

  // ---- looking inside -----------------------------------------------------------------------

  /**
   * The tape that the function gives for arguments like these.
   *
   * @param <A> argument: a tensor or a pytree of tensors
   * @param f the function, which is called once
   * @param a example argument; the values of its tensors do not matter
   * @return the tape, not yet simplified
   */
  public static <A> Tape tape(Fn1<A, ?> f, A a) {
    return Call.of("tape", Call.body(f), new Object[] {a}).trace().tape();
  }

  /**
   * The tape that the function gives for arguments like these.
   *
   * @param <A> first argument: a tensor or a pytree of tensors
   * @param <B> second argument: a tensor or a pytree of tensors
   * @param f the function, which is called once
   * @param a first example argument; the values of its tensors do not matter
   * @param b second example argument, likewise
   * @return the tape, not yet simplified
   */
  public static <A, B> Tape tape(Fn2<A, B, ?> f, A a, B b) {
    return Call.of("tape", Call.body(f), a, b).trace().tape();
  }

  /**
   * The tape that the function gives for arguments like these.
   *
   * @param <A> first argument: a tensor or a pytree of tensors
   * @param <B> second argument: a tensor or a pytree of tensors
   * @param <C> third argument: a tensor or a pytree of tensors
   * @param f the function, which is called once
   * @param a first example argument; the values of its tensors do not matter
   * @param b second example argument, likewise
   * @param c third example argument, likewise
   * @return the tape, not yet simplified
   */
  public static <A, B, C> Tape tape(Fn3<A, B, C, ?> f, A a, B b, C c) {
    return Call.of("tape", Call.body(f), a, b, c).trace().tape();
  }

  /**
   * The kernels into which the function is fused for arguments like these.
   *
   * @param <A> argument: a tensor or a pytree of tensors
   * @param f the function, which is called once
   * @param a example argument; the values of its tensors do not matter
   * @return text as {@link ScheduleText#of} makes it
   */
  public static <A> String explain(Fn1<A, ?> f, A a) {
    return explain(tape(f, a));
  }

  /**
   * The kernels into which the function is fused for arguments like these.
   *
   * @param <A> first argument: a tensor or a pytree of tensors
   * @param <B> second argument: a tensor or a pytree of tensors
   * @param f the function, which is called once
   * @param a first example argument; the values of its tensors do not matter
   * @param b second example argument, likewise
   * @return text as {@link ScheduleText#of} makes it
   */
  public static <A, B> String explain(Fn2<A, B, ?> f, A a, B b) {
    return explain(tape(f, a, b));
  }

  /**
   * The kernels into which the function is fused for arguments like these.
   *
   * @param <A> first argument: a tensor or a pytree of tensors
   * @param <B> second argument: a tensor or a pytree of tensors
   * @param <C> third argument: a tensor or a pytree of tensors
   * @param f the function, which is called once
   * @param a first example argument; the values of its tensors do not matter
   * @param b second example argument, likewise
   * @param c third example argument, likewise
   * @return text as {@link ScheduleText#of} makes it
   */
  public static <A, B, C> String explain(Fn3<A, B, C, ?> f, A a, B b, C c) {
    return explain(tape(f, a, b, c));
  }

  private static String explain(Tape tape) {
    return ScheduleText.of(Scheduler.schedule(InlineCustom.inline(tape).tape().closed(), Set.of()));
  }

  /**
   * Compares first derivatives in both modes with central differences along a random direction.
   *
   * @param <A> argument: a tensor or a pytree of tensors, all of float types
   * @param f the function; its result may be any pytree
   * @param x where it is differentiated, best away from kinks
   * @throws tapedeck.ad.type.ValidationException with both numbers if they do not agree
   * @throws tapedeck.ad.type.DTypeException if a tensor of {@code x} is not of a float type
   */
  public static <A> void checkGrads(Fn1<A, ?> f, A x) {
    checkGrads(f, x, 1);
  }

  /**
   * As {@link #checkGrads(Fn1, Object)}, for all derivatives up to an order.
   *
   * @param <A> argument: a tensor or a pytree of tensors, all of float types
   * @param f the function; its result may be any pytree
   * @param x where it is differentiated, best away from kinks
   * @param orders highest order, 1 or more; each doubles the work
   */
  public static <A> void checkGrads(Fn1<A, ?> f, A x, int orders) {
    GradientCheck.check(Call.body(f), x, orders, 0);
  }

  /**
   * As {@link #checkGrads(Fn1, Object)}, for all derivatives up to an order.
   *
   * @param <A> argument: a tensor or a pytree of tensors, all of float types
   * @param f the function; its result may be any pytree
   * @param x where it is differentiated, best away from kinks
   * @param orders highest order, 1 or more; each doubles the work
   * @param tolerance allowed difference relative to the larger of the derivative and 1; by default
   *     (0) 1e-6, or 2e-2 where the argument has float32 in it
   */
  public static <A> void checkGrads(Fn1<A, ?> f, A x, int orders, double tolerance) {
    GradientCheck.check(Call.body(f), x, orders, tolerance);
  }

  // ---- devices and memory -------------------------------------------------------------------

  /**
   * Runs {@code body} with the device of this name as the default one of this thread.
   *
   * @param <T> result of the body
   * @param name such as {@code cpu} or {@code opencl:0}; {@code opencl} stands for its first device
   * @param body called once
   * @return what the body returns
   * @throws tapedeck.ad.type.DeviceException at the first use if there is no such device
   */
  public static <T> T onDevice(String name, Supplier<T> body) {
    return Devices.with(name, body);
  }

  /**
   * Opens a scope that closes, at its end, every tensor that this thread has made in it, but those
   * that were kept: {@code try (var s = Ad.scope()) { ... s.keep(result); }}.
   *
   * @return a scope, which this thread must close
   */
  public static TensorScope scope() {
    return TensorScope.open();
  }
}
