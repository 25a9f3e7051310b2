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


def read(key, first: int, count: int) -> bytes:
    """Return `count` bits from element `first` on, padded with zeros; the board reads whole bytes."""
    data = bytearray((first + count + 7) // 8 - first // 8)
    key.read_into(data, first // 8 * 8)
    number = int.from_bytes(data, "big") >> (-(first + count) % 8) & (1 << count) - 1
    return (number << -count % 8).to_bytes((count + 7) // 8, "big")


def check_published(case: dict) -> None:
    expect(read(key(case), case["first"], case["count"]).hex(), case["key"])


def check_exact(case: dict) -> None:
    first = min(case["first"] + 1, MAX_ELEMENTS - _MORE)
    exact = Generator(case["p1"], case["p2"], case["d"]).key(int(case["k"]))
    expect(read(key(case), first, _MORE), bytes(exact.read(first, _MORE)))


run({"published": check_published, "exact": check_exact})
