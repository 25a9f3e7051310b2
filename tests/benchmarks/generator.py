# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure the speed of the generator on this machine, and count its wrong bits, beside those of the plain formula.

python tests/benchmarks/generator.py [--quick]

plain: np.cos in doubles, blocks of 2^22 elements, packed. Wrong bits are counted against exact integers: of 10^5 bits
at random places below 2^32, and of the 10^4 bits below 2^32 (--quick: 2^28) that are nearest to a rounding boundary.
"""

import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks.keys import generator
from ndks.keys.generator import BLOCK, VectorGenerator
from ndks_protocol import generator as exact

P1, P2, K = "0.52", "25", 1
DIGITS = (1, 3, 6, 9, 12)
PLAIN_BLOCK = 1 << 22
ELEMENTS = 1 << 25
RUNS, RUN = 200, 500  # random places, and bits at each
NEAREST = 10_000
SEED = 20261123

Elements = npt.NDArray[np.int64]


class NearBoundary(generator._Blocks):
    """Finds the elements that are nearest to a boundary, where a bit changes."""

    def __init__(self, digits: int, wanted: float) -> None:
        parameters = exact.Generator(P1, P2, digits)
        super().__init__(parameters, K, parameters.key(K))
        if self._type is np.float32:
            self._type, self._error = np.float64, 0.0
            self._column_cosines, self._column_sines = self._columns[0].high, self._columns[1].high
        self._error = max(2 * self._error, wanted)

    def near(self, start: int) -> tuple[npt.NDArray[np.float64], Elements]:
        """Return the distances and indices of the elements of a block that are near enough."""
        rows = self._rows_from(start, BLOCK)
        sure, possible = self._sieve(rows)
        found = generator._set_bits(sure ^ possible)
        return np.abs(self._distances(rows, found)) if len(found) else np.empty(0), start + found


def nearest(digits: int, limit: int, count: int = NEAREST) -> Elements:
    """Return the `count` nearest elements below `limit`; a fraction 4 w of all v / 2 is within w of a boundary."""
    blocks = NearBoundary(digits, 1.5 * count / limit / 4)
    pieces = generator._in_order(
        lambda span: np.concatenate(blocks.near(span[0])[:2]).tobytes(), ((s, 0) for s in range(0, limit, BLOCK)), 2
    )
    distances, elements = np.empty(0), np.empty(0)
    for piece in pieces:
        pair = np.frombuffer(piece).reshape(2, -1)
        distances, elements = np.concatenate((distances, pair[0])), np.concatenate((elements, pair[1]))
        if len(distances) > 100 * count:
            distances, elements = smallest(distances, elements, count)
    return smallest(distances, elements, count)[1].astype(np.int64)


def smallest(
    distances: npt.NDArray[np.float64], elements: npt.NDArray[np.float64], count: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    chosen = np.argsort(distances)[:count]
    return distances[chosen], elements[chosen]


def plain_bits(digits: int, elements: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    y1 = float(P2) * np.sin(float(P1) * K)
    return (np.round(10**digits * np.abs(np.cos(y1 * elements))) % 2).astype(np.uint8)


def fast_bits(digits: int, elements: Elements) -> npt.NDArray[np.uint8]:
    key = VectorGenerator(P1, P2, digits).key(K)
    return np.array([next(iter(key.blocks(int(e), 1)))[0] >> 7 for e in elements], np.uint8)


def exact_bits(digits: int, elements: Elements) -> npt.NDArray[np.uint8]:
    key = exact.Generator(P1, P2, digits).key(K)
    return np.array([key.read(int(e), 1)[0] >> 7 for e in elements], np.uint8)


def runs() -> list[int]:
    rng = random.Random(SEED)
    return [rng.randrange(1 << 32) for _ in range(RUNS)]


def wrong_at_random(digits: int) -> tuple[int, int]:
    """Return the numbers of wrong bits, of 10^5, by the plain formula and by our generator."""
    fast, slow = VectorGenerator(P1, P2, digits).key(K), exact.Generator(P1, P2, digits).key(K)
    wrong = [0, 0]
    for start in runs():
        right = np.unpackbits(np.frombuffer(bytes(slow.read(start, RUN)), np.uint8))[:RUN]
        ours = np.unpackbits(np.frombuffer(b"".join(fast.blocks(start, RUN)), np.uint8))[:RUN]
        wrong[0] += int(np.count_nonzero(plain_bits(digits, np.arange(start, start + RUN)) != right))
        wrong[1] += int(np.count_nonzero(ours != right))
    return wrong[0], wrong[1]


def make_plain(digits: int) -> None:
    for start in range(0, ELEMENTS, PLAIN_BLOCK):
        np.packbits(plain_bits(digits, np.arange(start, start + PLAIN_BLOCK, dtype=np.float64)))


def make_fast(digits: int, workers: int) -> None:
    for _ in VectorGenerator(P1, P2, digits).key(K).blocks(0, ELEMENTS, workers):
        pass


def make_aes() -> None:
    stream, zeros = Cipher(algorithms.AES256(bytes(32)), modes.CTR(bytes(16))).encryptor(), bytes(1 << 20)
    for _ in range(0, ELEMENTS // 8, 1 << 20):
        stream.update(zeros)


def rate(make: Callable[[], None]) -> float:
    """Return megabits per second, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        make()
        best = min(best, time.perf_counter() - started)
    return ELEMENTS / best / 1e6


def main(limit: int) -> None:
    print(f"{'Mbit/s':>9}{'plain':>9}{'one core':>10}{'ratio':>7}{'all cores':>11}{'ratio':>7}", end="")
    print("   wrong of 100,000 at random / 10,000 nearest: plain, ours")
    for digits in DIGITS:
        plain = rate(lambda d=digits: make_plain(d))
        one, every = rate(lambda d=digits: make_fast(d, 1)), rate(lambda d=digits: make_fast(d, 0))
        row = f"{f'd = {digits}':>9}{plain:9.1f}{one:10.1f}{one / plain:7.1f}{every:11.1f}{every / plain:7.1f}"
        print(row, end="", flush=True)
        elements = nearest(digits, limit)
        right = exact_bits(digits, elements)
        near = [int(np.count_nonzero(bits(digits, elements) != right)) for bits in (plain_bits, fast_bits)]
        at_random = wrong_at_random(digits)
        print(f"   {at_random[0]}, {at_random[1]} / {near[0]}, {near[1]}", flush=True)
    print(f"{'AES-CTR':>9}{'':9}{rate(make_aes):10.1f}")


if __name__ == "__main__":
    main(1 << (28 if "--quick" in sys.argv else 32))
