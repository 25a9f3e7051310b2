# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Each statistic detects its fault and its location; it also detects the paper's bits at small d."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from ndks.keys.generator import VectorGenerator
from ndks_laboratory.homologation.adversaries.statistician import Statistician
from ndks_laboratory.homologation.attack import Bits, Oracle, Seen
from ndks_laboratory.homologation.statistics import NAMES, Statistic, all_statistics, hamming, symbol_encodings

COUNT = 1 << 17
SEEN = -12.0  # threshold of log10 p for a detection
UNSEEN = -6.0


class Nobody(Oracle):
    """An oracle that must not be called."""

    def compare_bits(self, index: int, first: int, bits: Bits) -> int | None:
        raise AssertionError

    def compare_text(self, number: int, text: bytes) -> bool:
        raise AssertionError


def random_bits(seed: int, count: int = COUNT) -> Bits:
    return np.random.default_rng(seed).integers(0, 2, count, dtype=np.uint8)


def flips(seed: int, chance: float, count: int = COUNT) -> Bits:
    return (np.random.default_rng(seed).random(count) < chance).astype(np.uint8)


def biased() -> Bits:
    return flips(1, 0.512)


def correlated_neighbours() -> Bits:
    """Return bits in which an element equals the previous one with probability 0.512."""
    return np.bitwise_xor.accumulate(flips(2, 0.488))


def correlated_at(lag: int) -> Bits:
    bits, noise = random_bits(3), flips(4, 0.47)
    for i in range(lag, COUNT, lag):
        part = bits[i : i + lag]
        part[:] = bits[i - lag : i][: len(part)] ^ noise[i : i + len(part)]
    return bits


def masked() -> Bits:
    """Return bits in which the XOR of elements i, i + 3, i + 7, i + 10 is 1 with probability 0.48."""
    bits, noise = random_bits(5), flips(6, 0.48)
    for i in range(10, COUNT):
        bits[i] = bits[i - 3] ^ bits[i - 7] ^ bits[i - 10] ^ noise[i]
    return bits


def periodic(cycles: int) -> Bits:
    chance = 0.5 + 0.02 * np.cos(2 * np.pi * cycles / COUNT * np.arange(COUNT))
    return (np.random.default_rng(7).random(COUNT) < chance).astype(np.uint8)


def with_long_run() -> Bits:
    bits = random_bits(8)
    bits[5000:5060] = 0
    return bits


def with_repeated_words() -> Bits:
    bits = random_bits(9)
    for i in (64 * 700, 64 * 1500):
        bits[i : i + 64] = bits[640:704]
    return bits


def of_paper(digits: int, count: int) -> Bits:
    return np.unpackbits(np.frombuffer(VectorGenerator("0.52", "25", digits).key(1).read(0, count), dtype=np.uint8))


def by_name(bits: Bits) -> dict[str, Statistic]:
    return {result.name: result for result in all_statistics(bits)}


def attacked(bits: Bits, **more: float) -> Seen:
    return Seen(3, np.zeros((0, 0), np.uint8), bits, (), **more)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("make", "name", "where", "others"),
    [
        (biased, "monobit", "", {"spectral", "serial"}),
        (correlated_neighbours, "runs", "", {"serial", "autocorrelation"}),
        (lambda: correlated_at(777), "autocorrelation", "lag 777", set[str]()),
        (masked, "serial", "elements i + 0, 3, 7, 10", set[str]()),
        (lambda: periodic(18022), "spectral", "frequency 18022/131072, period 7.27289", set[str]()),
        (with_long_run, "longest run", "element 5000", set[str]()),
        (with_repeated_words, "repeated words", f"element {64 * 700}", set[str]()),
    ],
)
def test_each_sees_its_fault(make: Callable[[], Bits], name: str, where: str, others: set[str]) -> None:
    """`others` may detect it too; no other statistic does."""
    results = by_name(make())
    assert tuple(results) == NAMES
    assert results[name].log10_p < SEEN
    assert results[name].worst.where == where
    for other in set(results) - {name} - others:
        assert results[other].log10_p > UNSEEN, results[other]


def test_a_constant_key_underflows_nothing() -> None:
    results = by_name(np.zeros(1 << 20, dtype=np.uint8))
    assert results["monobit"].log10_p == pytest.approx(-(2**20 - 1) * np.log10(2))
    assert results["monobit"].p_value == 0.0
    assert all(result.log10_p < SEEN for result in results.values())
    json.dumps([result.row() for result in results.values()], allow_nan=False)


def test_paper_bits_with_three_digits_are_seen() -> None:
    bits = of_paper(3, 1 << 20)
    finding = Statistician().attack(attacked(bits), Nobody())
    assert finding.succeeded is True
    assert finding.p_value == 0.0
    logs = {row["name"]: row["log10_p"] for row in finding.details["statistics"]}
    for name in ("monobit", "runs", "serial", "autocorrelation", "spectral"):
        assert logs[name] < SEEN
    assert finding.tests == sum(row["tests"] for row in finding.details["statistics"]) > 1 << 20
    assert finding.details["log10_p"] == pytest.approx(min(logs.values()) + np.log10(len(NAMES)), abs=0.002)
    assert "autocorrelation at lag 65501, 989.9 sigma" in finding.outcome.reason
    json.dumps(finding.details, allow_nan=False)


def test_paper_bits_with_nine_digits_pass_until_they_are_many() -> None:
    """They are insecure nevertheless, but statistics do not show it."""
    assert Statistician().attack(attacked(of_paper(9, 1 << 20)), Nobody()).succeeded is False
    assert by_name(of_paper(9, 1 << 22))["autocorrelation"].log10_p < SEEN


@pytest.mark.parametrize("seed", range(4))
def test_random_bits_pass(seed: int) -> None:
    finding = Statistician().attack(attacked(random_bits(seed, 1 << 19)), Nobody())
    assert finding.succeeded is False
    assert finding.p_value is not None
    assert finding.p_value > 1e-4


def test_nothing_is_said_without_bits_or_time() -> None:
    assert Statistician().attack(attacked(np.zeros(0, np.uint8)), Nobody()).succeeded is None
    hasty = Statistician()
    hasty.budget = 0.0
    finding = hasty.attack(attacked(random_bits(1)), Nobody())
    assert finding.succeeded is None
    assert finding.outcome.reason.startswith("gave up")


def test_distance_of_keys() -> None:
    a, b = random_bits(1, 1024), random_bits(2, 1024)
    assert hamming(a, b).p_value > 1e-3
    assert hamming(a, b).worst.value == int((a ^ b).sum())
    assert hamming(a, a).log10_p == pytest.approx(-1023 * np.log10(2))
    nearly = a.copy()
    nearly[:300] ^= 1
    assert hamming(a, nearly).log10_p < SEEN


def encrypted(bits: Bits, symbol: int = 0x41) -> bytes:
    return bytes(np.packbits(bits) ^ np.uint8(symbol))


def test_encodings_of_a_symbol() -> None:
    found = symbol_encodings(encrypted(random_bits(1)), 0x41)
    assert found.symbols == COUNT // 8
    assert found.distinct == 256
    assert found.p_value > 1e-3
    few = symbol_encodings(encrypted(random_bits(1, 800)), 0x41)
    assert abs(few.distinct - few.expected_distinct) < 15
    assert few.expected_distinct == pytest.approx(82.9, abs=0.1)
    assert few.p_value > 1e-3


@pytest.mark.parametrize(
    ("bits", "sees"),
    [
        (np.tile(random_bits(2, 8 * 100), 50), "autocorrelation"),
        (np.unpackbits(np.random.default_rng(3).integers(0, 255, COUNT, dtype=np.uint8)), "byte values"),
        (of_paper(3, COUNT), "autocorrelation"),
        (np.zeros(8000, np.uint8), "byte values"),
    ],
    ids=["a period of 100 symbols", "a value that never comes", "the paper's, d = 3", "no encryption"],
)
def test_encodings_with_a_pattern(bits: Bits, sees: str) -> None:
    found = symbol_encodings(encrypted(bits), 0x41)
    assert found.log10_p < SEEN
    assert {result.name: result for result in found.statistics}[sees].log10_p < SEEN
