#!/usr/bin/env python3
"""Tests of what the benchmarks share and that needs neither PyTorch nor JAX: python3 test_peerlib.py"""

import argparse
import json
import os
import struct
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
        self.assertEqual(data.layers(), 1)
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
            json=out, work="", commit="abc", tf32=False, samples=1, warm_up=0.0
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
