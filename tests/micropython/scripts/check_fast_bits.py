# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""generator.json: the board's fast generator against the published bits, and against the exact one around them."""

from harness import expect, run

from ndks_protocol.generator import MAX_ELEMENTS, Generator
from ndks_unit.fast_bits.generator import fast_generator

_MORE = 300  # elements: several blocks, and a first one that begins in the middle


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
