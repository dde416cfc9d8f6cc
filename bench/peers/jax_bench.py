#!/usr/bin/env python3
"""The benchmark's functions in JAX, compiled with jit; see peerlib.py."""

import math
import os
import sys
from functools import partial

import peerlib


def main():
    args = peerlib.checked(peerlib.parser(__doc__).parse_args())
    if args.threads > 0:
        # XLA reads this once, before JAX is imported.
        os.environ["XLA_FLAGS"] = (
            os.environ.get("XLA_FLAGS", "")
            + " --xla_cpu_multi_thread_eigen=true"
            + f" intra_op_parallelism_threads={args.threads}"
        )
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")
    device = jax.devices(args.device)[0] if args.device else jax.devices()[0]
    data = peerlib.Data(args.data)
    details = f"JAX {jax.__version__}, {device.platform} {device.device_kind}"
    server = peerlib.Server(details) if args.serve else None
    report = server or peerlib.Report(args, "jax", details)
    on = "jax-jit-" + device.platform

    def load(name):
        return jax.device_put(data[name], device)

    def line(name, f, *operands, thinned=lambda out: out):
        """f gives a list of arrays; dispatch does not wait, so the last result is waited for."""
        jitted = jax.jit(f)

        def run(n):
            out = None
            for _ in range(n):
                out = jitted(*operands)
            jax.block_until_ready(out)

        report.line(
            data, name, on, run, lambda: [jax.device_get(v) for v in thinned(jitted(*operands))]
        )

    # ---- multilayer perceptron ----

    def mlp(network="mlp"):
        layers = data.layers(network)
        x = load(network + "/images")
        y = load(network + "/labels")

        def fresh():
            return [
                (load(f"{network}/layers.{i}.weight"), load(f"{network}/layers.{i}.bias"))
                for i in range(layers)
            ]

        def loss(params, x, y):
            h = x
            for i, (w, b) in enumerate(params):
                h = h @ w + b
                if i + 1 < layers:
                    h = jax.nn.relu(h)
            picked = jnp.take_along_axis(jax.nn.log_softmax(h, axis=1), y[:, None], axis=1)
            return -picked.mean()

        def flat(tree):
            return jax.tree_util.tree_leaves(tree)

        value_and_grad = jax.value_and_grad(loss)

        def gradient(p, x, y):
            value, g = value_and_grad(p, x, y)
            return [value, *flat(g)]

        if network == "mlp":
            params = fresh()
            line("mlp/forward", lambda p, x, y: [loss(p, x, y)], params, x, y)
            line("mlp/gradient", gradient, params, x, y)

        def step_of(p, x, y):
            value, g = value_and_grad(p, x, y)
            return jax.tree_util.tree_map(lambda a, b: a - peerlib.RATE * b, p, g), value

        def step_line(end, precision):
            step = jax.jit(step_of, donate_argnums=0)
            state = [fresh()]

            def run(n):
                with jax.default_matmul_precision(precision):
                    for _ in range(n):
                        state[0], _ = step(state[0], x, y)
                    jax.block_until_ready(state[0])

            def losses():
                p = fresh()
                out = []
                with jax.default_matmul_precision(precision):
                    for _ in range(peerlib.STEPS):
                        p, value = step(p, x, y)
                        out.append(float(value))
                return [out]

            report.line(data, f"{network}/step{end}", on, run, losses)

        for end, precision in (("", "highest"), ("-high", "highest"), ("-default", "tensorfloat32")):
            if data.wanted(f"{network}/step{end}"):
                step_line(end, precision)

    # ---- Black-Scholes ----

    def black_scholes():
        names = ("spot", "strike", "time", "rate", "volatility")
        inputs = [load("black-scholes/" + n) for n in names]

        def cdf(v):
            return 0.5 * (1 + jax.scipy.special.erf(v * math.sqrt(0.5)))

        def price(s, k, t, r, v):
            spread = v * jnp.sqrt(t)
            d1 = (jnp.log(s / k) + (r + 0.5 * v * v) * t) / spread
            return s * cdf(d1) - k * jnp.exp(-r * t) * cdf(d1 - spread)

        line("black-scholes/price", lambda *a: [price(*a)], *inputs)

        def gradient(*a):
            value, pull = jax.vjp(price, *a)
            return [value, *pull(jnp.ones_like(value))]

        line("black-scholes/gradient", gradient, *inputs)

        def greeks(s, k, t, r, v):
            def first(s):
                value, ds, _, dt, dr, dv = gradient(s, k, t, r, v)
                return ds, (value, dv, dt, dr)

            delta, gamma, (value, vega, theta, rho) = jax.jvp(
                first, (s,), (jnp.ones_like(s),), has_aux=True
            )
            return [value, delta, vega, theta, rho, gamma]

        line("black-scholes/greeks", greeks, *inputs)

    # ---- per-example gradients ----

    def per_example():
        params = tuple(load("per-example/" + n) for n in ("w1", "b1", "w2", "b2"))
        x = load("per-example/x")
        y = load("per-example/y")

        def one(p, x, y):
            w1, b1, w2, b2 = p
            return (jnp.dot(jnp.tanh(w1 @ x + b1), w2) + b2 - y) ** 2

        def total(p, x, y):
            w1, b1, w2, b2 = p
            return ((jnp.tanh(x @ w1.T + b1) @ w2 + b2 - y) ** 2).sum()

        each = jax.vmap(jax.grad(one), in_axes=(None, 0, 0))
        line(
            "per-example/gradients",
            lambda p, x, y: list(each(p, x, y)),
            params,
            x,
            y,
            thinned=lambda out: [g.sum(0) for g in out],
        )
        line("per-example/summed", lambda p, x, y: list(jax.grad(total)(p, x, y)), params, x, y)

    # ---- rows ----

    def rows():
        x = load("rows/x")
        scale = load("rows/scale")
        shift = load("rows/shift")
        cube = peerlib.middle(x.size)

        def layer_norm(x):
            centred = x - x.mean(1, keepdims=True)
            spread = jax.lax.rsqrt((centred**2).mean(1, keepdims=True) + peerlib.EPSILON)
            return centred * spread * scale + shift

        functions = {
            "copy": lambda x: -x,
            "elementwise": lambda x: jnp.tanh(x * scale + shift) * x,
            "softmax": lambda x: jax.nn.softmax(x, axis=1),
            "layer-norm": layer_norm,
            "log-sum-exp": lambda x: jax.scipy.special.logsumexp(x, axis=1),
            "sum-last": lambda x: x.sum(1),
            "sum-first": lambda x: x.sum(0),
            "sum-middle": lambda x: x.reshape(cube).sum(1),
        }
        for name, f in functions.items():
            line("rows/" + name, lambda x, f=f: [f(x)], x)

    # ---- matrix products ----

    def products():
        settings = {"": "highest", "-high": "highest", "-default": "tensorfloat32"}
        for name in data.products():
            a = load(name + "/a")
            b = load(name + "/b")

            def product(a, b, name=name, **how):
                a = a.T if name.endswith("-tn") else a
                b = b.T if name.endswith("-nt") else b
                return [jnp.matmul(a, b, **how)]

            for end, precision in settings.items():
                if data.wanted(name + end):
                    line(name + end, partial(product, precision=precision), a, b)
            if data.wanted(name + "-bfloat16"):
                # Operands are stored as bfloat16, which also halves what is read.
                half = [v.astype(jnp.bfloat16) for v in (a, b)]
                line(
                    name + "-bfloat16", partial(product, preferred_element_type=jnp.float32), *half
                )

    # ---- Gaussian mixture ----

    def gmm():
        alphas, means, icf = (load("gmm/" + n) for n in ("alphas", "means", "icf"))
        x = load("gmm/x")
        gamma, m, constant = (float(data["gmm/" + n]) for n in ("gamma", "m", "constant"))
        k, d = means.shape
        n = x.shape[0]
        lower = jnp.asarray(peerlib.lower_index(d))

        def objective(alphas, means, icf, x):
            q = icf[:, :d]
            exp_q = jnp.exp(q)
            padded = jnp.concatenate([icf, jnp.zeros((k, 1), icf.dtype)], axis=1)
            qs = padded[:, lower].reshape(k, d, d) + exp_q[:, :, None] * jnp.eye(d, dtype=icf.dtype)
            qx = (x @ qs.reshape(k * d, d).T).reshape(n, k, d)
            qmu = (qs @ means[:, :, None]).reshape(k, d)
            inner = alphas + q.sum(1) - 0.5 * ((qx - qmu) ** 2).sum(2)
            logsumexp = jax.scipy.special.logsumexp
            likelihood = logsumexp(inner, axis=1).sum() - n * logsumexp(alphas)
            strict = icf[:, d:]
            prior = 0.5 * gamma * gamma * ((exp_q**2).sum() + (strict**2).sum()) - m * q.sum()
            return likelihood + prior + constant

        line("gmm/objective", lambda *a: [objective(*a)], alphas, means, icf, x)

        def gradient(*a):
            value, g = jax.value_and_grad(objective, argnums=(0, 1, 2))(*a)
            return [value, *g]

        line("gmm/gradient", gradient, alphas, means, icf, x)

    works = {
        "mlp/": mlp,
        "mlp-wide/": lambda: mlp("mlp-wide"),
        "black-scholes/": black_scholes,
        "per-example/": per_example,
        "rows/": rows,
        "matmul/": products,
        "gmm/": gmm,
    }
    if server:
        return server.serve({p: w for p, w in works.items() if data.names(p)})
    for prefix, work in works.items():
        if data.names(prefix) and report.wants(prefix):
            work()
    return report.write()


if __name__ == "__main__":
    sys.exit(main())
