# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The search over angular frequencies finds all of them; its building blocks are exact."""

import math

import mpmath
import numpy as np
import pytest
from benchmarks.attacks import PaperTarget, excerpt

from ndks_laboratory.homologation.adversaries import compiled, english
from ndks_laboratory.homologation.adversaries.autocorrelation import sparse
from ndks_laboratory.homologation.adversaries.decimal_grid import by_decimals, half_turns
from ndks_laboratory.homologation.adversaries.float_units import bits_of
from ndks_laboratory.homologation.adversaries.frequency_search import RADIANS, Blocks, FrequencyWindow, find, phase
from ndks_laboratory.homologation.adversaries.recurrence import MeasuredFrequency, parameters


def folded(y1: float) -> float:
    """Return the frequency in [0, pi/2] with the same bits."""
    w = y1 % math.pi
    return min(w, math.pi - w)


def no_limit() -> None:
    pass


@pytest.mark.parametrize("digits", [1, 2, 3, 4, 6])
def test_true_frequency_survives(digits: int) -> None:
    rng = np.random.default_rng(digits)
    for p1, p2 in zip(rng.uniform(0.01, 3.14, 20), rng.uniform(0.1, 100, 20), strict=True):
        target = PaperTarget(f"{p1:.6f}", f"{p2:.6f}", digits)
        y1 = float(target.p2) * math.sin(float(target.p1))
        for known in (12, 40, 600) if digits < 5 else (40, 600):
            windows = find(digits, np.arange(known), target.bits(1, 0, known), no_limit)
            slack = 1e-13 + 1e-9 * min(window.width for window in windows)
            assert any(abs(window.frequency - folded(y1)) <= window.width / 2 + slack for window in windows)


@pytest.mark.parametrize("y1", ["0.0005", "0.03", "1.57", "1.5707963", "3.1415", "3.1"])
def test_true_frequency_survives_near_the_ends(y1: str) -> None:
    p2 = mpmath.nstr(mpmath.mpf(y1) / mpmath.sin("0.52"), 30, min_fixed=-100)
    target = PaperTarget("0.52", p2, 3)
    windows = find(3, np.arange(800), target.bits(1, 0, 800), no_limit)
    assert any(abs(window.frequency - folded(float(y1))) <= window.width / 2 + 1e-13 for window in windows)


def test_survivors_give_the_known_bits() -> None:
    target = PaperTarget("1.234", "56.7", 4)
    bits = target.bits(3, 0, 700)
    (window,) = find(4, np.arange(700), bits, no_limit)
    assert np.count_nonzero(window.bits(4, np.arange(700)) != bits) <= 1  # within one error of the edge


def test_few_bits_leave_the_intervals_that_a_scan_finds() -> None:
    known = PaperTarget("1.1", "7.7", 1).bits(2, 0, 9)
    windows = find(1, np.arange(9), known, no_limit)
    scan = np.linspace(0, math.pi / 2, 100_001)[1:-1]
    bits = np.rint(10 * np.cos(scan[:, None] * np.arange(9))).astype(int) & 1
    fits = np.all(bits == known, axis=1)
    inside = np.zeros(len(scan), bool)
    for window in windows:
        inside |= np.abs(scan - window.frequency) <= window.width / 2
    assert fits.any()
    assert np.count_nonzero(inside != fits) <= 4  # points on edges and block borders


def test_blocks_cover_what_they_say() -> None:
    everywhere = Blocks.everywhere(1e-3)
    assert everywhere.count * 2 * everywhere.reach == pytest.approx(math.pi / 2, rel=1e-6)
    around = Blocks.around(phase(1.0), 1e-4, 1e-5)
    centres = [(int(around.grid[4]) * s + int(around.grid[5])) % 2**64 * RADIANS for s in range(around.many)]
    assert np.mean(centres) == pytest.approx(1.0, abs=1e-9)
    assert centres[0] - around.reach <= 1.0 - 1e-4 + 1e-12
    assert centres[-1] + around.reach >= 1.0 + 1e-4 - 1e-12


def test_frequency_of_a_window_does_not_depend_on_its_centre() -> None:
    window = FrequencyWindow(phase(0.7), 1e-9, 3e-9)
    assert window.recentred().frequency == pytest.approx(window.frequency, abs=1e-15)
    assert FrequencyWindow(phase(-0.7), -3e-9, -1e-9).frequency == pytest.approx(0.700000002, abs=1e-15)


def test_sparse_elements_begin_dense_and_reach_the_end() -> None:
    elements = sparse(1_000_000)
    assert elements[4000] == 4000
    assert np.all(np.diff(elements) > 0)
    assert np.diff(elements).max() <= elements[-1] / 500
    assert elements[-1] > 998_000


def test_half_turns_are_exact() -> None:
    made = half_turns(3141, 1000)
    with mpmath.workdps(50):
        for i in (0, 1, 520, 1571, 3141):
            right = mpmath.sin(mpmath.mpf(i) / 1000) / mpmath.pi * 2**64
            assert abs(int(made[i]) - right) <= 1


def test_fewest_decimals_come_first() -> None:
    assert by_decimals(314)[:6].tolist() == [100, 200, 300, 10, 20, 30]


def test_recurrence_finds_parameters() -> None:
    ys = 400 * np.sin(2.2 * np.arange(1, 6))
    found = parameters([MeasuredFrequency(folded(y), 1e-9) for y in ys], 1000.0, no_limit)
    assert any(min(abs(p1 - 2.2), abs(math.pi - p1 - 2.2)) < 1e-7 and abs(p2 - 400) < 1e-4 for p1, p2, _ in found)


def test_single_precision_is_numpys() -> None:
    y1 = np.float32(12.345)
    values = [np.round(np.float32(1000) * np.abs(np.cos(y1 * np.float32(e)))) % 2 for e in range(300)]
    assert bits_of(y1, 3, np.arange(300)).tolist() == [int(value) for value in values]


def test_english_is_likelier_than_what_is_nearly_english() -> None:
    rng = np.random.default_rng(3)
    better = 0
    for _ in range(200):
        text = excerpt(rng, 40)
        wrong = bytearray(text)
        wrong[rng.integers(40)] ^= 1 << rng.integers(7)
        both = np.frombuffer(text + bytes(wrong), np.uint8).reshape(2, 40)
        costs = english.cost(both) - [english.saved(text), english.saved(bytes(wrong))]
        better += bool(costs[0] < costs[1])
    assert better > 170


def test_compilation_without_a_place_for_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    jit = compiled.numba.njit

    def refusing(function: object, *, cache: bool = False, **options: object) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return jit(function, **options)

    monkeypatch.setattr(compiled.numba, "njit", refusing)
    assert compiled.compiled(lambda x: x + 1)(1) == 2
