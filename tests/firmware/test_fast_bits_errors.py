# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The errors of fast algorithms stay below their bounds."""

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import fast_generators
from firmware.fast_generators import decimals, firsts, indices
from ndks.board import tables as maker
from ndks_protocol import cell_tables
from ndks_protocol.generator import MAX_ELEMENTS, Generator
from ndks_unit.fast_bits.circle import ERROR, Circle
from ndks_unit.fast_bits.lane_bits import _BLOCK, _LANES, LaneGenerator, _in_each
from ndks_unit.fast_bits.phases import Phases

folder = fast_generators.folder
no_tables_are_kept = fast_generators.no_tables_are_kept


@settings(max_examples=200, deadline=None)
@given(st.integers(0, (1 << 96) - 1))
def test_error_of_the_circle(phase: int) -> None:
    circle = Circle(96)
    with mpmath.workdps(60):
        angle = 2 * mpmath.pi * phase / mpmath.mpf(2) ** 96
        for value, exact in zip(circle.both(phase), (mpmath.cos(angle), mpmath.sin(angle)), strict=True):
            assert abs(value - exact * mpmath.mpf(2) ** 96) < ERROR
        assert circle.cosine(phase) == circle.both(phase)[0]


@settings(max_examples=100, deadline=None)
@given(decimals, decimals, indices)
def test_error_of_a_step(p1: str, p2: str, k: int) -> None:
    phases = Phases(p1, p2, 3, lambda: None)
    bits = phases.step_bits
    exact = Generator(p1, p2, 3).phase_step(k, bits + 40)
    difference = ((phases.step(k) << 40) - exact) % (1 << bits + 40)
    assert min(difference, (1 << bits + 40) - difference) < 2 << 40


@settings(max_examples=60, deadline=None)
@given(decimals, decimals, st.sampled_from([3, 4, 6, 9, 12]), indices, firsts)
def test_errors_of_lanes_and_middles(p1: str, p2: str, digits: int, k: int, first: int) -> None:
    """The bounds of lane_bits: 24 ulp for a lane, 2^21 ulp for a middle after the longest chain of rotations."""
    generator = LaneGenerator(Phases(p1, p2, digits, lambda: None))
    key = generator.key(k)
    key._make_lanes()
    phases, width, b = generator.phases, generator._width, generator.b
    with mpmath.workdps(70):
        angle = 2 * mpmath.pi * key._step / mpmath.mpf(2) ** phases.step_bits
        signs: list[int] = []
        for lanes, function in ((key._cosines, mpmath.cos), (key._sines, mpmath.sin)):
            positive = lanes + _in_each(2 << b, _LANES, width)
            found = [(positive >> place * width) % (1 << width) - (2 << b) for place in range(_LANES)]
            elements = [8 * (place % (_LANES // 8)) + 7 - place // (_LANES // 8) for place in range(_LANES)]
            exact = [function((j + mpmath.mpf(1) / 2) * angle) * 2**b for j in elements]
            signs.append(1 if found[-1] * exact[-1] >= 0 else -1)
            assert all(abs(a * signs[-1] - e) < 24 for a, e in zip(found, exact, strict=True))
        assert key._crossed == (signs[0] != signs[1])
        block = min(first, MAX_ELEMENTS - 256 * _BLOCK - 1) // _BLOCK
        for start in (0, block):
            for i in range(256):
                key._make(start + i)
            assert key._left == 0
            turns = mpmath.mpf(key._step * (2 * (start + 256) * _BLOCK + _BLOCK - 1)) / 2 ** (phases.step_bits + 1)
            for value, function in zip(key._middle, (mpmath.cos, mpmath.sin), strict=True):
                exact_value = function(2 * mpmath.pi * mpmath.frac(turns)) * 2**phases.bits
                assert abs(mpmath.mpf(value) / 10**digits - exact_value) < 2**21


@pytest.mark.parametrize("digits", cell_tables.CELL_BITS)
def test_each_cell_says_the_truth(digits: int) -> None:
    """Each cell is right for all phases in it and within MARGIN, against independently computed thresholds."""
    content = maker.table_file(digits)
    shift = cell_tables.PHASE_BITS - cell_tables.CELL_BITS[digits]
    with mpmath.workdps(30):
        unit = mpmath.mpf(2) ** cell_tables.PHASE_BITS / mpmath.pi
        exact = [mpmath.acos(mpmath.mpf(2 * i + 1) / (2 * 10**digits)) * unit for i in reversed(range(10**digits))]
    assert all(abs(a - b) < 0.51 for a, b in zip(exact, maker.thresholds(digits), strict=True))
    changes = iter([*exact, mpmath.inf])
    change, bit = next(changes), 0
    for cell in range(1 << cell_tables.CELL_BITS[digits] - 1):
        while change < (cell << shift) - cell_tables.MARGIN:
            change, bit = next(changes), bit ^ 1
        near = change <= (cell + 1 << shift) + cell_tables.MARGIN
        assert content[cell] in ((bit, cell_tables.NEAR) if near else (bit,))
        assert content[(1 << cell_tables.CELL_BITS[digits]) - 1 - cell] == content[cell]


def test_memory_of_the_tables() -> None:
    sizes = [len(maker.table_file(digits)) for digits in (1, 2, 3)]
    assert sizes[0] <= 10 * 1024
    assert max(sizes) <= 25 * 1024
