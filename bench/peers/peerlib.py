"""What the PyTorch and the JAX benchmark share: the data file, timing, checks and the report.

Needs Python 3.9 or newer and NumPy. A program either measures by itself, where the data file is
written by
    ./tapedeck bench --export-data FILE
and the report is read by
    ./tapedeck bench --with FILE
or, with --serve, answers requests, so that
    ./tapedeck bench --peers torch-eager,torch-compile,jax
can measure it in turns with Tapedeck.
"""

import argparse
import datetime
import json
import math
import os
import platform
import struct
import sys
import time

FORM = "tapedeck comparison 1"
SAMPLE_SECONDS = 0.05
MOST_REPETITIONS = 200
# Longer results are compared at every STRIDEth number; the Java program does the same.
MOST_COMPARED = 1 << 20
STRIDE = 257
TYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4"}
RATE = 0.01
STEPS = 3
EPSILON = 1e-5
# Ends of line names that say how accurately products of float32 are computed; without one: float32.
# "high" stands for float32 accuracy on tensor cores and has float32 as its counterpart.
PRECISIONS = ("high", "default", "bfloat16")
LIMITS = {"default": 1e-2, "bfloat16": 2e-2}
MARK = "@peer "


class DataError(Exception):
    """A data file that is not in the expected form."""


def read_header(path):
    """Entries of a safetensors file by name: (type, shape, begin, end), and where the data begins."""
    with open(path, "rb") as f:
        start = f.read(8)
        if len(start) != 8:
            raise DataError(f"{path}: too short for a safetensors file")
        (length,) = struct.unpack("<Q", start)
        size = os.fstat(f.fileno()).st_size
        if length > size - 8:
            raise DataError(f"{path}: the header is longer than the file")
        try:
            header = json.loads(f.read(length))
        except ValueError as e:
            raise DataError(f"{path}: the header is no JSON: {e}") from e
    entries = {}
    for name, e in header.items():
        if name == "__metadata__":
            continue
        begin, end = e["data_offsets"]
        kind = e["dtype"]
        if kind not in TYPES:
            raise DataError(f"{path}: {name} has the type {kind}")
        width = int(TYPES[kind][2:])
        if end - begin != width * math.prod(e["shape"]) or 8 + length + end > size:
            raise DataError(f"{path}: {name} does not fit its place")
        entries[name] = (kind, tuple(e["shape"]), begin, end)
    return entries, 8 + length


class Data:
    """The tensors of a file as NumPy arrays."""

    def __init__(self, path):
        self.path = path
        self.entries, self.start = read_header(path)

    def __contains__(self, name):
        return name in self.entries

    def names(self, prefix):
        return sorted(n for n in self.entries if n.startswith(prefix))

    def __getitem__(self, name):
        import numpy as np

        if name not in self.entries:
            raise DataError(f"{self.path} has no tensor {name}")
        kind, shape, begin, end = self.entries[name]
        with open(self.path, "rb") as f:
            f.seek(self.start + begin)
            raw = f.read(end - begin)
        return np.frombuffer(raw, dtype=TYPES[kind]).reshape(shape).copy()

    def layers(self, network):
        n = 0
        while f"{network}/layers.{n}.weight" in self:
            n += 1
        return n

    def products(self):
        """Names of the operands of matrix products."""
        return [n[: -len("/a")] for n in self.names("matmul/") if n.endswith("/a")]

    def wanted(self, name):
        """Whether there is an expected result, or the file was written without any."""
        return "expected/" + name in self or not self.names("expected/")


def precision(name):
    """The end of a line's name that says how accurate products are; empty for float32."""
    end = name.rsplit("-", 1)[-1]
    return end if end in PRECISIONS else ""


def middle(n):
    """(a, a, n / a**2) with a power of two near the cube root."""
    a = 1
    while 8 * a**3 <= n:
        a *= 2
    return (a, a, n // a**2)


def lower_index(d):
    """For each element of L, row by row, its place in an icf row that has a zero appended."""
    index = [d * (d + 1) // 2] * (d * d)
    place = d
    for column in range(d):
        for row in range(column + 1, d):
            index[row * d + column] = place
            place += 1
    return index


def thin(values):
    """All numbers of a list of arrays, evenly spaced ones where there are very many."""
    import numpy as np

    joined = np.concatenate([np.asarray(v, dtype=np.float64).reshape(-1) for v in values])
    return joined if joined.size <= MOST_COMPARED else joined[::STRIDE]


def difference(found, expected):
    """Norm of the difference over the norm."""
    import numpy as np

    if found.shape != expected.shape:
        return math.nan
    norm = float(np.linalg.norm(expected))
    d = float(np.linalg.norm(found - expected))
    return d if norm == 0 else d / norm


def quantile(samples, q):
    s = sorted(samples)
    at = q * (len(s) - 1)
    below = int(at)
    above = min(below + 1, len(s) - 1)
    return s[below] + (at - below) * (s[above] - s[below])


def measure(run, samples, warm_up):
    """Seconds per call. run(n) calls n times and returns when the device has finished."""

    def timed(n):
        start = time.perf_counter()
        run(n)
        return (time.perf_counter() - start) / n

    start = fell = time.perf_counter()
    best = timed(1)
    while time.perf_counter() - fell < warm_up and time.perf_counter() - start < 6 * warm_up:
        s = timed(max(1, min(MOST_REPETITIONS, int(0.1 * SAMPLE_SECONDS / best))))
        if s < 0.97 * best:
            fell = time.perf_counter()
        best = min(best, s)
    n = max(1, min(MOST_REPETITIONS, int(SAMPLE_SECONDS / best)))
    return [timed(n) for _ in range(samples)]


def field(path, name, otherwise="unknown"):
    if not os.access(path, os.R_OK):
        return otherwise
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
    return otherwise


def machine(commit):
    return {
        "time": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cpu": field("/proc/cpuinfo", "model name", platform.processor() or "unknown"),
        "processors": os.cpu_count() or 1,
        "memory": field("/proc/meminfo", "MemTotal"),
        "os": platform.platform(),
        "python": platform.python_version(),
        "commit": commit,
    }


def parser(description):
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--data", required=True, help="written by ./tapedeck bench --export-data")
    p.add_argument("--json", default="", help="where the report goes")
    p.add_argument("--serve", action="store_true", help="answers requests on standard input instead")
    p.add_argument("--device", default="", help="cpu or the name of a GPU; default: a GPU if there is one")
    p.add_argument("--threads", type=int, default=0, help="of the processor; default: one per processor")
    p.add_argument("--samples", type=int, default=21)
    p.add_argument("--warm-up", type=float, default=1.5, help="seconds without getting faster")
    p.add_argument("--work", default="", help="prefixes of line names, by commas; default: all")
    p.add_argument("--commit", default="unknown", help="what the report is to be filed under")
    return p


def checked(args):
    if args.samples < 1:
        raise SystemExit("--samples must be at least 1")
    if args.warm_up < 0:
        raise SystemExit("--warm-up must not be negative")
    if not args.json and not args.serve:
        raise SystemExit("--json or --serve is needed")
    return args


class Report:
    """Lines and what was left out."""

    def __init__(self, args, library, details):
        self.args = args
        self.wanted = [w for w in args.work.split(",") if w]
        self.lines = []
        self.left_out = []
        self.differs = []
        self.head = {
            "form": FORM,
            "machine": machine(args.commit),
            "peers": {library: details},
        }

    def line(self, data, name, on, run, result):
        """Measures run(n) and compares the arrays of result() with the file's expected ones."""
        if self.wanted and not any(name.startswith(w) for w in self.wanted):
            return
        try:
            found = thin(result())
            seconds = measure(run, self.args.samples, self.args.warm_up)
        # Whatever a library raises is the reason why the line is missing from the report.
        except Exception as e:  # noqa: BLE001
            text = (str(e).splitlines() or [""])[0]
            self.left_out.append(f"{name} on {on}: {type(e).__name__}: {text}")
            print("left out:", self.left_out[-1], flush=True)
            return
        entry = {
            "line": name,
            "on": on,
            "kind": "peer",
            "median_seconds": quantile(seconds, 0.5),
            "seconds": seconds,
        }
        if "expected/" + name in data:
            error = difference(found, data["expected/" + name])
            entry["error"] = error if math.isfinite(error) else str(error)
            wide = "f64" in name or name.startswith("gmm/")
            limit = 1e-9 if wide else LIMITS.get(precision(name), 1e-4)
            if not error <= limit:
                self.differs.append(f"{name} on {on} differs by {error:.1e}")
                print("DIFFERS:", self.differs[-1], flush=True)
        self.lines.append(entry)
        print(f"{name:32} {on:24} {1e3 * entry['median_seconds']:10.3f} ms", flush=True)

    def wants(self, prefix):
        return not self.wanted or any(
            w.startswith(prefix) or prefix.startswith(w) for w in self.wanted
        )

    def write(self):
        report = dict(self.head, lines=self.lines, left_out=self.left_out, differs=self.differs)
        part = self.args.json + ".part"
        with open(part, "w", encoding="utf-8") as f:
            json.dump(report, f, indent=1)
        os.replace(part, self.args.json)
        return 1 if self.differs else 0


class Server:
    """Answers requests, a line each; what they are is told by tapedeck.peers.Worker."""

    def __init__(self, version, requests=None, answers=None):
        self.version = version
        self.requests = sys.stdin if requests is None else requests
        self.answers = sys.stdout if answers is None else answers
        # What a library prints must not look like an answer.
        sys.stdout = sys.stderr
        self.prefix = ""
        self.lines = {}

    def line(self, data, name, on, run, result):
        """Keeps a line until it is asked for."""
        self.lines[name] = (run, result)

    def serve(self, works):
        """works: functions that call line() for each of their lines, by the prefix of the names."""
        self.answer("ready " + self.version)
        for request in self.requests:
            words = request.split()
            if words[:1] == ["quit"]:
                break
            try:
                self.answer(self.reply(works, words))
            # Whatever a library raises is the reason that is given.
            except Exception as e:  # noqa: BLE001
                text = (str(e).splitlines() or [""])[0]
                self.answer(f"no {type(e).__name__}: {text}")
        return 0

    def answer(self, text):
        self.answers.write(MARK + text + "\n")
        self.answers.flush()

    def reply(self, works, words):
        import numpy as np

        if words[0] == "prepare":
            prefix = words[1].split("/")[0] + "/"
            if prefix != self.prefix:
                # Operands of one workload at a time.
                self.lines = {}
                self.prefix = prefix
                if prefix in works:
                    works[prefix]()
            return "ok" if words[1] in self.lines else "no it has no such function"
        run, result = self.lines[words[1]]
        if words[0] == "run":
            n = int(words[2])
            start = time.perf_counter()
            run(n)
            return f"seconds {(time.perf_counter() - start) / n!r}"
        if words[0] == "result":
            thin(result()).astype("<f8").tofile(words[2])
            return "ok"
        raise ValueError("unknown request " + words[0])
