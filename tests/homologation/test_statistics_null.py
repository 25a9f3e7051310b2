# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""P-values under the null hypothesis: valid for all short sequences, and for samples."""

import itertools
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from ndks_laboratory.homologation.attack import Bits
from ndks_laboratory.homologation.statistics import (
    all_lags,
    attributes,
    autocorrelation,
    correlation,
    frequencies,
    hamming,
    longest_run,
    monobit,
    repeated_words,
    runs,
    serial,
    spectral,
    spectrum,
)
from ndks_laboratory.homologation.statistics.result import Statistic, corrected
from ndks_laboratory.homologation.statistics.suite import all_statistics

SHORT = 12  # elements; all sequences of this length are tried
EVERY = [np.array(bits, dtype=np.uint8) for bits in itertools.product((0, 1), repeat=SHORT)]


def binomial(size: int) -> dict[int, int]:
    """Return the number of sequences for each count."""
    return {k: math.comb(size, k) * 2 ** (SHORT - size) for k in range(size + 1)}


@pytest.mark.parametrize(("statistic", "size"), [(monobit, SHORT), (runs, SHORT - 1)])
def test_counts_are_binomial(statistic: Callable[[Bits], Statistic], size: int) -> None:
    assert Counter(statistic(bits).worst.value for bits in EVERY) == binomial(size)


def test_distances_are_binomial() -> None:
    fixed = EVERY[1234]
    assert Counter(hamming(bits, fixed).worst.value for bits in EVERY) == binomial(SHORT)


def test_every_lag_is_binomial() -> None:
    counts = np.array([autocorrelation(bits)[1:] for bits in EVERY])
    for lag in range(1, SHORT):
        size = SHORT - lag
        ones = np.rint((size - counts[:, lag - 1] * math.sqrt(size)) / 2).astype(int)
        assert Counter(ones.tolist()) == binomial(size)


def test_every_mask_is_binomial() -> None:
    window = 4
    size = SHORT - window + 1
    sums = np.array([attributes._walsh_hadamard(attributes._window_histogram(bits, window)) for bits in EVERY])
    for mask in range(1, 1 << window, 2):
        assert Counter(((size - sums[:, mask]) // 2).tolist()) == binomial(size)


@pytest.mark.parametrize(
    "statistic", [monobit, runs, longest_run, serial, lambda bits: serial(bits, 3), all_lags, frequencies]
)
def test_p_values_hold_for_every_short_sequence(statistic: Callable[[Bits], Statistic]) -> None:
    p_values = np.sort([statistic(bits).p_value for bits in EVERY])
    share = np.searchsorted(p_values, p_values, side="right") / len(p_values)
    assert (share <= p_values * (1 + 1e-9)).all()


def test_the_bound_of_powers_holds_for_every_short_sequence() -> None:
    size = 16
    signs = 1 - 2 * np.unpackbits(np.arange(1 << size, dtype=">u2").view(np.uint8)).reshape(-1, size).astype(float)
    powers = np.abs(np.fft.rfft(signs)) ** 2 / size
    for j in range(1, size // 2):
        at = np.sort(powers[:, j])
        share = 1 - np.searchsorted(at, at - 1e-9) / len(at)
        bounds = np.exp([spectral._polygon_bound(power) for power in at[:: 1 << 8]])
        assert (share[:: 1 << 8] <= bounds).all()
        assert math.exp(spectral._polygon_bound(at[-1])) >= share[-1]


def test_p_values_of_repeated_words_hold() -> None:
    """The words are so short that repetitions occur."""
    rng = np.random.default_rng(5)
    p_values = np.sort([repeated_words(bits, 16).p_value for bits in rng.integers(0, 2, (4000, 480), dtype=np.uint8)])
    share = np.searchsorted(p_values, p_values, side="right") / len(p_values)
    assert p_values[0] < 0.01  # two of 30 words are equal in one of 150 sequences
    assert (share <= p_values + 4 * np.sqrt(p_values / len(p_values))).all()


def test_p_values_of_samples() -> None:
    """All statistics together, at a length for which each of them has a result."""
    rng = np.random.default_rng(7)
    trials = 400
    found: dict[str, list[float]] = {}
    for _ in range(trials):
        results = list(all_statistics(rng.integers(0, 2, 3000, dtype=np.uint8)))
        for result in results:
            found.setdefault(result.name, []).append(result.p_value)
        found.setdefault("all", []).append(10 ** corrected(min(each.log10_p for each in results), len(results)))
    for name, p_values in found.items():
        for level in (0.01, 0.05, 0.2, 0.5):
            share = np.mean(np.array(p_values) <= level)
            assert share <= level + 4 * math.sqrt(level * (1 - level) / trials), (name, level)
    assert np.mean(np.array(found["monobit"]) <= 0.5) > 0.4  # a single test is not conservative either
    assert np.mean(np.array(found["autocorrelation"]) <= 0.5) > 0.3


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1000])
def test_lags_in_blocks_are_those_counted_one_by_one(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlation, "_BLOCK", 64)
    bits = np.random.default_rng(count).integers(0, 2, count, dtype=np.uint8)
    signs = 1 - 2 * bits.astype(int)
    direct = [int(signs[: count - lag] @ signs[lag:]) for lag in range(count)]
    assert correlation._sums(bits).tolist() == direct


def test_masks_are_those_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "_PART", 100)
    bits = np.random.default_rng(2).integers(0, 2, 1234, dtype=np.uint8)
    size = len(bits) - 5
    sums = attributes._walsh_hadamard(attributes._window_histogram(bits, 6))
    for mask in range(1, 64, 2):
        parities = np.bitwise_xor.reduce([bits[j : j + size] for j in range(6) if mask >> j & 1])
        assert sums[mask] == size - 2 * int(parities.sum())


def test_spectrum_is_the_transform_by_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = np.random.default_rng(3).integers(0, 2, 60, dtype=np.uint8)
    signs = 1 - 2 * bits.astype(float)
    direct = [abs(signs @ np.exp(-2j * np.pi * j / 60 * np.arange(60))) ** 2 / 60 for j in range(31)]
    assert spectrum(bits) == pytest.approx(direct)
    monkeypatch.setattr(spectral, "_DOUBLE", 0)
    assert spectrum(bits) == pytest.approx(direct, rel=1e-4, abs=1e-5)


def test_single_precision_is_exact_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = np.random.default_rng(4).integers(0, 2, 1 << 18, dtype=np.uint8)
    in_double = spectrum(bits)
    assert in_double.mean() == pytest.approx(1, abs=0.01)
    monkeypatch.setattr(spectral, "_DOUBLE", 0)
    in_single = spectrum(bits)
    assert in_single.dtype == np.float32
    above = in_double > 1
    assert np.abs(in_single / in_double - 1)[above].max() < spectral._ROUNDING / 10


@pytest.mark.parametrize("count", [2, 3, 15, 16, 17, 64, 127, 128, 129])
def test_keys_of_any_length(count: int) -> None:
    bits = np.random.default_rng(count).integers(0, 2, count, dtype=np.uint8)
    for result in all_statistics(bits):
        assert 0 < result.p_value <= 1
        assert result.tests >= 1
