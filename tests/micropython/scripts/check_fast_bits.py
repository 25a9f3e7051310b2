# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check of the board's fast generator against generator.json, and against the exact generator nearby."""

from harness import expect, run

from ndks_protocol.generator import MAX_ELEMENTS, Generator
from ndks_unit.fast_bits.generator import fast_generator

_MORE = 300  # elements: several blocks, where the first one begins in the middle


def key(case: dict):
    generator = fast_generator(case["p1"], case["p2"], case["d"], case["folder"], lambda: None)
    return generator.key(int(case["k"]))


def check_published(case: dict) -> None:
    expect(key(case).read(case["first"], case["count"]).hex(), case["key"])


def check_exact(case: dict) -> None:
    first = min(case["first"] + 1, MAX_ELEMENTS - _MORE)
    exact = Generator(case["p1"], case["p2"], case["d"]).key(int(case["k"]))
    expect(key(case).read(first, _MORE), exact.read(first, _MORE))


run({"published": check_published, "exact": check_exact})
