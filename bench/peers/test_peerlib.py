#!/usr/bin/env python3
"""Tests of what the benchmarks share and that needs neither PyTorch nor JAX: python3 test_peerlib.py"""

import argparse
import io
import json
import os
import struct
import sys
import tempfile
import unittest

import peerlib


def write(path, tensors):
    header, body = {}, b""
    for name, (kind, shape, raw) in tensors.items():
        header[name] = {
            "dtype": kind,
            "shape": shape,
            "data_offsets": [len(body), len(body) + len(raw)],
        }
        body += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + body)


class PeerLibTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "d.safetensors")

    def test_header(self):
        write(
            self.file,
            {
                "mlp/layers.0.weight": ("F32", [2, 1], struct.pack("<2f", 1, 2)),
                "matmul/f64-1x1x1-nn/a": ("F64", [1, 1], struct.pack("<d", 3)),
            },
        )
        data = peerlib.Data(self.file)
        self.assertEqual(data.entries["mlp/layers.0.weight"][:2], ("F32", (2, 1)))
        self.assertEqual(data.layers("mlp"), 1)
        self.assertEqual(data.products(), ["matmul/f64-1x1x1-nn"])
        self.assertNotIn("x", data)

    def test_broken_files(self):
        for content in (b"", b"12345678", struct.pack("<Q", 3) + b"{]}"):
            with open(self.file, "wb") as f:
                f.write(content)
            with self.assertRaises(peerlib.DataError):
                peerlib.Data(self.file)
        write(self.file, {"a": ("F32", [3], b"1234")})
        with self.assertRaises(peerlib.DataError):
            peerlib.Data(self.file)
        write(self.file, {"a": ("BF16", [2], b"1234")})
        with self.assertRaises(peerlib.DataError):
            peerlib.Data(self.file)

    def test_names(self):
        self.assertEqual(peerlib.precision("matmul/f32-8x8x8-nn"), "")
        self.assertEqual(peerlib.precision("matmul/f32-8x8x8-nn-bfloat16"), "bfloat16")
        self.assertEqual(peerlib.precision("mlp-wide/step-default"), "default")
        self.assertEqual(peerlib.precision("rows/sum-last"), "")

    def test_server(self):
        answers = io.StringIO()
        file = os.path.join(self.folder.name, "r.f64")
        requests = [
            "prepare a/x",
            "run a/x 4",
            "result a/x " + file,
            "prepare a/none",
            "prepare c/x",
            "run a/x 1",
            "nonsense a/x",
            "quit",
            "run a/x 1",
        ]
        calls = []
        stdout = sys.stdout
        try:
            server = peerlib.Server("lib 1", requests, answers)
            works = {"a/": lambda: server.line({}, "a/x", "cpu", calls.append, lambda: [[1, -2.5]])}
            server.serve(works)
        finally:
            sys.stdout = stdout
        got = answers.getvalue().splitlines()
        self.assertEqual(got[0], "@peer ready lib 1")
        self.assertEqual(got[1], "@peer ok")
        self.assertTrue(float(got[2].removeprefix("@peer seconds ")) >= 0)
        self.assertEqual(got[3:6], ["@peer ok"] + 2 * ["@peer no it has no such function"])
        self.assertEqual(got[6:], ["@peer no KeyError: 'a/x'", "@peer no KeyError: 'a/x'"])
        self.assertEqual(calls, [4])
        with open(file, "rb") as f:
            self.assertEqual(struct.unpack("<2d", f.read()), (1, -2.5))

    def test_figures(self):
        self.assertEqual(peerlib.quantile([4, 1, 3, 2], 0.5), 2.5)
        self.assertEqual(peerlib.quantile([1, 2, 3, 4, 5], 0.25), 2)
        self.assertEqual(peerlib.middle(4096 * 4096), (256, 256, 256))
        self.assertEqual(peerlib.lower_index(2), [3, 3, 2, 3])
        self.assertEqual(peerlib.lower_index(3), [6, 6, 6, 3, 6, 6, 4, 5, 6])

    def test_samples(self):
        calls = []
        samples = peerlib.measure(calls.append, 5, 0.0)
        self.assertEqual(len(samples), 5)
        self.assertTrue(all(s >= 0 for s in samples))
        self.assertEqual(calls[0], 1)
        self.assertTrue(1 <= calls[-1] <= peerlib.MOST_REPETITIONS)

    def test_report_names_what_fails(self):
        out = os.path.join(self.folder.name, "r.json")
        args = argparse.Namespace(
            json=out, work="", commit="abc", samples=1, warm_up=0.0
        )
        report = peerlib.Report(args, "x", "x 1")

        def fails():
            raise RuntimeError("no such operator\nmore")

        report.line({}, "mlp/step", "x-cpu", lambda n: None, fails)
        self.assertEqual(report.write(), 0)
        with open(out, encoding="utf-8") as f:
            written = json.load(f)
        self.assertEqual(written["form"], peerlib.FORM)
        self.assertEqual(written["lines"], [])
        self.assertEqual(
            written["left_out"], ["mlp/step on x-cpu: RuntimeError: no such operator"]
        )
        self.assertEqual(written["machine"]["commit"], "abc")


if __name__ == "__main__":
    unittest.main()
