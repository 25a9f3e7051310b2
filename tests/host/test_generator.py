# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The NumPy generator equals the exact integers at every element, whichever tier decides."""

import itertools
import random
from collections.abc import Callable
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from benchmarks import generator as bench
from hypothesis import given, settings
from hypothesis import strategies as st

from ndks.keys import double_double, generator
from ndks.keys.generator import BLOCK, MAX_ELEMENTS, VectorGenerator, VectorKeystream
from ndks_protocol import generator as exact

ROW = 4096
decimals = st.builds(lambda whole, part: f"{whole}.{part:040d}", st.integers(0, 10**6), st.integers(1, 10**40 - 1))
digits = st.integers(1, 12)
indices = st.one_of(st.integers(1, 100), st.integers(1, 1 << 64))
firsts = st.one_of(
    st.integers(0, 1 << 20),
    st.sampled_from([2**20, 2**32, 2**40 - 2000]).flatmap(lambda e: st.integers(e - 300, e + 300)),
    st.integers(0, MAX_ELEMENTS - 3000),
)


def keystreams(p1: str, p2: str, d: int, k: int) -> tuple[VectorKeystream, exact.Keystream]:
    return VectorGenerator(p1, p2, d).key(k), exact.Generator(p1, p2, d).key(k)


def from_blocks(key: VectorKeystream, first: int, count: int, workers: int = 1) -> bytes:
    """Return bits computed from tables: `read` computes short keys by integers."""
    return b"".join(key.blocks(first, count, workers))


def nearly(multiple: Fraction, power: int) -> tuple[str, str]:
    """Return p1, p2 such that y1 of key 1 is a multiple of pi except for about 10^-power."""
    with mpmath.workdps(120):
        y1 = mpmath.pi * multiple.numerator / multiple.denominator + mpmath.mpf(10) ** -power
        p2 = y1 / mpmath.sin(mpmath.mpf("0.52"))
        return "0.52", mpmath.nstr(p2, 60 if multiple else 35, strip_zeros=False, min_fixed=-200, max_fixed=200)


@settings(max_examples=60)
@given(decimals, decimals, digits, indices, firsts, st.integers(0, 1500))
def test_agreement_with_exact_integers(p1: str, p2: str, d: int, k: int, first: int, count: int) -> None:
    fast, slow = keystreams(p1, p2, d, k)
    count = min(count, MAX_ELEMENTS - first)
    assert from_blocks(fast, first, count) == bytes(slow.read(first, count))


@pytest.mark.parametrize("d", [1, 3, 4, 6, 9, 10, 12])
@pytest.mark.parametrize("multiple", [Fraction(0), Fraction(1), Fraction(7, 3), Fraction(22, 7), Fraction(1, 1000)])
@pytest.mark.parametrize("power", [3, 15, 40])
def test_steps_near_multiples_of_pi(d: int, multiple: Fraction, power: int) -> None:
    fast, slow = keystreams(*nearly(multiple, power), d, 1)
    for first in (0, 2**20 - 50, 2**32 - 50, 2**40 - 100):
        assert from_blocks(fast, first, 100) == bytes(slow.read(first, 100)), first


@pytest.mark.parametrize("tier", ["_SIEVE_ERROR", "_PAIR_ERROR"])
@pytest.mark.parametrize("d", [1, 3, 4, 9, 12])
def test_later_tiers_change_no_bit(d: int, tier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a huge error bound the sieve and the pairs leave nearly all elements in doubt."""
    expected = from_blocks(VectorGenerator("0.52", "25", d).key(3), 12345, 3000)
    type_ = np.float32 if d <= 3 else np.float64
    monkeypatch.setattr(generator, "_SIEVE_ERROR", 0.2499 / (10.0**d / 2 * float(np.finfo(type_).eps) / 2))
    if tier == "_PAIR_ERROR":
        monkeypatch.setattr(generator, "_PAIR_ERROR", 1.0)
    assert from_blocks(VectorGenerator("0.52", "25", d).key(3), 12345, 3000) == expected
    assert expected == bytes(exact.Generator("0.52", "25", d).key(3).read(12345, 3000))


@pytest.mark.parametrize("d", [3, 9])
def test_borders_of_rows_tiles_and_blocks(d: int) -> None:
    fast, slow = keystreams("0.52", "25", d, 2)
    first = 1001
    whole = "".join(f"{byte:08b}" for byte in from_blocks(fast, first, 2 * BLOCK + 77))
    for border in (ROW, 16 * ROW, 17 * ROW, BLOCK, BLOCK + ROW, 2 * BLOCK):
        bits = "".join(f"{byte:08b}" for byte in slow.read(first + border - 64, 128))
        assert whole[border - 64 : border + 64] == bits, border
    assert len(whole) == -(-(2 * BLOCK + 77) // 8) * 8
    assert whole[2 * BLOCK + 77 :] == "000"


@pytest.mark.parametrize("workers", [2, 3])
def test_threads_change_nothing(workers: int) -> None:
    key = VectorGenerator("0.52", "25", 3).key(1)
    assert from_blocks(key, 5, 5 * BLOCK + 3, workers) == from_blocks(key, 5, 5 * BLOCK + 3)


def test_blocks_can_be_left_early() -> None:
    blocks = VectorGenerator("0.52", "25", 3).key(1).blocks(0, 1 << 40, 2)
    assert [len(block) for block in itertools.islice(blocks, 3)] == [BLOCK // 8] * 3


@pytest.mark.parametrize("size", [1, 7, 64, 1024, 9000])
def test_reading_in_pieces(size: int) -> None:
    """As a unit reads: small pieces, in order, then anywhere."""
    fast, slow = keystreams("0.52", "25", 6, 4)
    expected = slow.read(0, 40_000)
    pieces = [fast.read(8 * at, 8 * min(size, 5000 - at)) for at in range(0, 5000, size)]
    assert b"".join(map(bytes, pieces)) == bytes(expected)
    rng = random.Random(size)
    for _ in range(20):
        first, count = rng.randrange(1 << 40), rng.randrange(1, 300)
        count = min(count, MAX_ELEMENTS - first)
        assert fast.read(first, count) == slow.read(first, count)
    assert fast.read(8, 39_000) == slow.read(8, 39_000)


def test_ranges() -> None:
    key = VectorGenerator("0.52", "25", 3).key(1)
    assert key.read(0, 0) == b""
    readers: list[Callable[[int, int], object]] = [key.read, key.blocks]
    for read, (first, count) in itertools.product(readers, [(-1, 1), (0, -1), (MAX_ELEMENTS, 1), (1, MAX_ELEMENTS)]):
        with pytest.raises(ValueError, match="element"):
            read(first, count)
    for p1, p2, d in (("x", "25", 3), ("0", "25", 3), ("0.52", "25", 0), ("0.52", "25", 13)):
        with pytest.raises(ValueError, match=r"."):
            VectorGenerator(p1, p2, d)


def test_element_10_to_the_12() -> None:
    fast, slow = keystreams("0.52", "25", 3, 1)
    assert from_blocks(fast, 10**12, 4000) == bytes(slow.read(10**12, 4000))


@pytest.mark.parametrize("d", [1, 3, 4, 6, 9, 12])
def test_elements_nearest_to_a_boundary(d: int) -> None:
    """Among the first 4 million; the benchmark covers the first 2^32."""
    elements = bench.nearest(d, 1 << 22, 200)
    assert len(set(elements.tolist())) == 200
    assert np.array_equal(bench.fast_bits(d, elements), bench.exact_bits(d, elements))


@given(st.integers(-(1 << 128), 1 << 128))
def test_pairs_hold_106_bits(value: int) -> None:
    pair = double_double.from_fixed(value, 128)
    got = Fraction(float(pair.high[0])) + Fraction(float(pair.low[0]))
    assert abs(got - Fraction(value, 1 << 128)) <= Fraction(1, 1 << 106)


@given(st.integers(0, (1 << 120) - 1), st.integers(0, (1 << 120) - 1))
def test_a_rotation_is_2_to_the_minus_101_off_at_most(first: int, second: int) -> None:
    with mpmath.workprec(300):
        a, b = mpmath.mpf(first) / (1 << 117), mpmath.mpf(second) / (1 << 117)
        points = [_pair(f(x)) for x in (a, b) for f in (mpmath.cos, mpmath.sin)]
        for pair, true in zip(double_double.rotate(*points), (mpmath.cos(a + b), mpmath.sin(a + b)), strict=True):
            got = mpmath.mpf(float(pair.high[0])) + mpmath.mpf(float(pair.low[0]))
            assert abs(got - true) < mpmath.mpf(2) ** -101 + 4 * mpmath.mpf(2) ** -106


def _pair(value: "mpmath.mpf") -> double_double.Pair:
    return double_double.from_fixed(int(mpmath.nint(value * (1 << 200))), 200)


def test_a_key_that_creeps_along_a_boundary() -> None:
    """Every element of many blocks is in doubt, which needs time but not memory."""
    with mpmath.workdps(60):
        step = mpmath.acos(mpmath.mpf("0.9995")) / 2**39
        p1, p2 = mpmath.nstr(step / 2, 40, strip_zeros=False, min_fixed=-200, max_fixed=200), "0." + "0" * 69 + "1"
    fast = VectorGenerator(p1, p2, 3, "polynomial").key(2)
    slow = exact.Generator(p1, p2, 3, "polynomial").key(2)
    first = 2**39 - 40_000
    assert from_blocks(fast, first, 60_000)[4000:4200] == bytes(slow.read(first + 32_000, 1600))


def test_nothing_at_the_end() -> None:
    key = VectorGenerator("0.52", "25", 3).key(1)
    key.read(0, 9000)
    assert key.read(MAX_ELEMENTS, 0) == b""
