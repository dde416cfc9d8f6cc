#!/usr/bin/env python3
"""The benchmark's functions in PyTorch, eager and compiled; see peerlib.py."""

import math
import sys

import peerlib


def main():
    p = peerlib.parser(__doc__)
    p.add_argument("--mode", default="eager,compile", help="eager, compile or both")
    args = peerlib.checked(p.parse_args())
    modes = args.mode.split(",")
    for m in modes:
        if m not in ("eager", "compile"):
            raise SystemExit(f"--mode: there is no {m}")
    if args.serve and len(modes) > 1:
        raise SystemExit("--serve needs one --mode")
    import torch
    import torch.nn.functional as F
    from torch.func import grad, jvp, vjp, vmap

    device = torch.device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    data = peerlib.Data(args.data)
    details = f"PyTorch {torch.__version__}"
    if device.type == "cuda":
        details += f", CUDA {torch.version.cuda}, {torch.cuda.get_device_name(device)}"
    else:
        details += f", {torch.get_num_threads()} threads"
    server = peerlib.Server(f"{details}, {args.mode}") if args.serve else None
    report = server or peerlib.Report(args, "torch", details)

    def measured(name, mode, run, result):
        """A line, whose products have the precision that its name tells."""
        setting = "high" if peerlib.precision(name) == "default" else "highest"

        def set_and_run(n):
            torch.set_float32_matmul_precision(setting)
            run(n)

        def set_and_result():
            torch.set_float32_matmul_precision(setting)
            return result()

        report.line(data, name, f"torch-{mode}-{device.type}", set_and_run, set_and_result)

    def load(name):
        t = torch.from_numpy(data[name])
        return t.to(device)

    def synchronize():
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    def numbers(tensors):
        synchronize()
        return [t.detach().to("cpu", torch.float64).numpy() for t in tensors]

    def plain(name, mode, f):
        """A function without gradients of its own; f() gives a list of tensors."""

        def run(n):
            for _ in range(n):
                f()
            synchronize()

        measured(name, mode, run, lambda: numbers(f()))

    def prepared(mode, f):
        return torch.compile(f) if mode == "compile" else f

    def no_grad(f):
        def g():
            with torch.no_grad():
                return f()

        return g

    # ---- multilayer perceptron ----

    def mlp(mode, network="mlp"):
        layers = data.layers(network)
        x = load(network + "/images")
        y = load(network + "/labels").long()

        def fresh():
            out = []
            for i in range(layers):
                out.append(load(f"{network}/layers.{i}.weight").requires_grad_())
                out.append(load(f"{network}/layers.{i}.bias").requires_grad_())
            return out

        def loss_of(params, x, y):
            h = x
            for i in range(layers):
                h = torch.addmm(params[2 * i + 1], h, params[2 * i])
                if i + 1 < layers:
                    h = F.relu(h)
            return F.cross_entropy(h, y)

        loss = prepared(mode, loss_of)

        def gradient(params):
            value = loss(params, x, y)
            return [value, *torch.autograd.grad(value, params)]

        if network == "mlp":
            params = fresh()
            plain("mlp/forward", mode, no_grad(lambda: [loss(params, x, y)]))
            plain("mlp/gradient", mode, lambda: gradient(params))

        def step(p):
            value = loss(p, x, y)
            g = torch.autograd.grad(value, p)
            with torch.no_grad():
                torch._foreach_add_(p, g, alpha=-peerlib.RATE)
            return value.detach()

        trained = fresh()

        def run(n):
            for _ in range(n):
                step(trained)
            synchronize()

        def losses():
            p = fresh()
            return [[float(step(p)) for _ in range(peerlib.STEPS)]]

        for end in ("", "-high", "-default"):
            if data.wanted(f"{network}/step{end}"):
                measured(f"{network}/step{end}", mode, run, losses)

    # ---- Black-Scholes ----

    def black_scholes(mode):
        names = ("spot", "strike", "time", "rate", "volatility")
        inputs = [load("black-scholes/" + n) for n in names]

        def cdf(v):
            return 0.5 * (1 + torch.erf(v * math.sqrt(0.5)))

        def price_of(s, k, t, r, v):
            spread = v * torch.sqrt(t)
            d1 = (torch.log(s / k) + (r + 0.5 * v * v) * t) / spread
            return s * cdf(d1) - k * torch.exp(-r * t) * cdf(d1 - spread)

        price = prepared(mode, price_of)
        plain("black-scholes/price", mode, no_grad(lambda: [price(*inputs)]))
        leaves = [i.clone().requires_grad_() for i in inputs]

        def gradient():
            value = price(*leaves)
            return [value, *torch.autograd.grad(value.sum(), leaves)]

        plain("black-scholes/gradient", mode, gradient)

        # Compiled functions cannot be differentiated twice from outside: all of it is one function.
        def greeks_of(s, k, t, r, v):
            def first(s):
                value, pull = vjp(price_of, s, k, t, r, v)
                ds, _, dt, dr, dv = pull(torch.ones_like(value))
                return ds, (value, dv, dt, dr)

            delta, gamma, (value, vega, theta, rho) = jvp(
                first, (s,), (torch.ones_like(s),), has_aux=True
            )
            return [value, delta, vega, theta, rho, gamma]

        greeks = prepared(mode, greeks_of)
        plain("black-scholes/greeks", mode, lambda: greeks(*inputs))

    # ---- per-example gradients ----

    def per_example(mode):
        params = tuple(load("per-example/" + n) for n in ("w1", "b1", "w2", "b2"))
        x = load("per-example/x")
        y = load("per-example/y")

        def one(p, x, y):
            w1, b1, w2, b2 = p
            return (torch.dot(torch.tanh(w1 @ x + b1), w2) + b2 - y) ** 2

        def total(p, x, y):
            w1, b1, w2, b2 = p
            return ((torch.tanh(x @ w1.t() + b1) @ w2 + b2 - y) ** 2).sum()

        each = prepared(mode, vmap(grad(one), in_dims=(None, 0, 0)))

        def run(n):
            for _ in range(n):
                each(params, x, y)
            synchronize()

        measured(
            "per-example/gradients",
            mode,
            run,
            lambda: numbers([g.sum(0) for g in each(params, x, y)]),
        )
        summed = prepared(mode, grad(total))
        plain("per-example/summed", mode, lambda: list(summed(params, x, y)))

    # ---- rows ----

    def rows(mode):
        x = load("rows/x")
        scale = load("rows/scale")
        shift = load("rows/shift")
        cube = peerlib.middle(x.numel())
        functions = {
            "copy": lambda x: -x,
            "elementwise": lambda x: torch.tanh(x * scale + shift) * x,
            "softmax": lambda x: torch.softmax(x, 1),
            "layer-norm": lambda x: F.layer_norm(x, (x.shape[1],), scale, shift, peerlib.EPSILON),
            "log-sum-exp": lambda x: torch.logsumexp(x, 1),
            "sum-last": lambda x: x.sum(1),
            "sum-first": lambda x: x.sum(0),
            "sum-middle": lambda x: x.reshape(cube).sum(1),
        }
        for name, f in functions.items():
            g = prepared(mode, f)
            plain("rows/" + name, mode, no_grad(lambda g=g: [g(x)]))

    # ---- matrix products ----

    def products(mode):
        for name in data.products():
            a = load(name + "/a")
            b = load(name + "/b")
            a = a.t() if name.endswith("-tn") else a
            b = b.t() if name.endswith("-nt") else b
            for end in ("", "-high", "-default", "-bfloat16"):
                if data.wanted(name + end):
                    # Operands are stored as bfloat16, which also halves what is read, and so is the result.
                    half = end == "-bfloat16"
                    u, v = (a.bfloat16(), b.bfloat16()) if half else (a, b)
                    f = prepared(mode, torch.mm)
                    plain(name + end, mode, no_grad(lambda f=f, u=u, v=v: [f(u, v)]))

    # ---- Gaussian mixture ----

    def gmm(mode):
        alphas, means, icf = (load("gmm/" + n) for n in ("alphas", "means", "icf"))
        x = load("gmm/x")
        gamma, m, constant = (float(data["gmm/" + n]) for n in ("gamma", "m", "constant"))
        k, d = means.shape
        n = x.shape[0]
        lower = torch.tensor(peerlib.lower_index(d), device=device)

        def objective_of(alphas, means, icf):
            q = icf[:, :d]
            exp_q = torch.exp(q)
            padded = torch.cat([icf, icf.new_zeros(k, 1)], 1)
            qs = padded[:, lower].reshape(k, d, d) + torch.diag_embed(exp_q)
            qx = (x @ qs.reshape(k * d, d).t()).reshape(n, k, d)
            qmu = (qs @ means.unsqueeze(2)).reshape(k, d)
            inner = alphas + q.sum(1) - 0.5 * ((qx - qmu) ** 2).sum(2)
            likelihood = torch.logsumexp(inner, 1).sum() - n * torch.logsumexp(alphas, 0)
            strict = icf[:, d:]
            prior = 0.5 * gamma * gamma * ((exp_q**2).sum() + (strict**2).sum()) - m * q.sum()
            return likelihood + prior + constant

        objective = prepared(mode, objective_of)
        plain("gmm/objective", mode, no_grad(lambda: [objective(alphas, means, icf)]))
        leaves = [t.clone().requires_grad_() for t in (alphas, means, icf)]

        def gradient():
            value = objective(*leaves)
            return [value, *torch.autograd.grad(value, leaves)]

        plain("gmm/gradient", mode, gradient)

    works = {
        "mlp/": mlp,
        "mlp-wide/": lambda mode: mlp(mode, "mlp-wide"),
        "black-scholes/": black_scholes,
        "per-example/": per_example,
        "rows/": rows,
        "matmul/": products,
        "gmm/": gmm,
    }
    if server:
        return server.serve(
            {p: lambda w=w: w(modes[0]) for p, w in works.items() if data.names(p)}
        )
    for mode in modes:
        for prefix, work in works.items():
            if data.names(prefix) and report.wants(prefix):
                work(mode)
    return report.write()


if __name__ == "__main__":
    sys.exit(main())
