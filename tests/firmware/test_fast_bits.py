# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The board's fast generator equals the exact one: at random, in hard cases, and from any element on."""

from decimal import Decimal
from typing import Any

import mpmath
import pytest
from hosts.memory import Host
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import fast_generators
from firmware.fast_generators import assert_same, counts, decimals, every_d, fast, firsts, indices, read
from ndks_emulator import MemoryUnit
from ndks_protocol import commands
from ndks_protocol.generator import MAX_ELEMENTS, MAX_INDEX, Generator
from ndks_unit.fast_bits import phases as phases_module
from ndks_unit.fast_bits.generator import fast_generator
from ndks_unit.fast_bits.phases import Phases

folder = fast_generators.folder
no_tables_are_kept = fast_generators.no_tables_are_kept


@settings(max_examples=300, deadline=None)
@given(decimals, decimals, every_d, indices, firsts, counts)
def test_any_parameters(folder: str, p1: str, p2: str, digits: int, k: int, first: int, count: int) -> None:
    assert_same(p1, p2, digits, folder, k, first, count)


@settings(max_examples=100, deadline=None)
@given(decimals, decimals, st.integers(1, 3), indices, firsts, counts)
def test_without_tables(p1: str, p2: str, digits: int, k: int, first: int, count: int) -> None:
    assert_same(p1, p2, digits, "/nowhere", k, first, count)


def with_y1(turns: Any) -> tuple[str, str]:
    """Return p1 and p2 such that y1 of key 1 is 2 pi turns, to about 70 digits."""
    with mpmath.workdps(90):
        p2 = 2 * mpmath.pi * turns / mpmath.sin(1)
        return "1", format(Decimal(mpmath.nstr(p2, 76, min_fixed=-mpmath.inf, max_fixed=mpmath.inf)), "f")[:80]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 24), st.integers(1, 24), st.integers(2, 60), st.sampled_from([-1, 1]), every_d, firsts, counts)
def test_steps_next_to_fractions_of_a_turn(
    folder: str, p: int, q: int, power: int, sign: int, digits: int, first: int, count: int
) -> None:
    """y1 near 0 and near rational multiples of pi: the phase moves slowly or is nearly periodic."""
    turns = mpmath.mpf(p) / q + sign * mpmath.mpf(2) ** -power
    assert_same(*with_y1(turns), digits, folder, 1, first, min(count, 700))


@pytest.mark.parametrize("digits", [1, 2, 3, 4, 6, 9, 12])
def test_phases_that_creep_past_a_threshold(folder: str, digits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every element is in doubt; exact arithmetic would need 1 ms for each."""
    with mpmath.workdps(90):
        parameters = with_y1(mpmath.acos(1 - mpmath.mpf(1) / (2 * 10**digits)) / (2 * mpmath.pi) / 2**39)
    single: list[int] = []
    bit = Phases.bit
    monkeypatch.setattr(Phases, "bit", lambda *arguments: single.append(arguments[-1]) or bit(*arguments))
    for count in (700, 8192):
        single.clear()
        assert_same(*parameters, digits, folder, 1, (1 << 39) - count // 2, count)
        assert 0 < len(single) < 40


@settings(max_examples=150, deadline=None)
@given(st.data(), every_d, st.integers(0, 39), st.integers(8, 200))
def test_elements_next_to_a_threshold(folder: str, data: st.DataObject, digits: int, power: int, nearness: int) -> None:
    """The phase of one element lies 2^-nearness of a turn from a threshold."""
    element = data.draw(st.integers(1 << power, (2 << power) - 1))
    threshold = data.draw(st.integers(0, 10**digits - 1))
    turn = data.draw(st.integers(0, element // 2))
    with mpmath.workdps(90):
        angle = mpmath.acos(mpmath.mpf(2 * threshold + 1) / (2 * 10**digits)) / (2 * mpmath.pi)
        offset = data.draw(st.sampled_from([-1, 1])) * mpmath.mpf(2) ** -nearness
        parameters = with_y1((turn + angle + offset) / element)
    assert_same(*parameters, digits, folder, 1, max(element - 150, 0), 300)


@pytest.mark.parametrize("digits", range(1, 13))
def test_elements_that_stay_in_doubt(digits: int, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """With a huge error bound Ziv's method decides each exact bit; no bit may change."""
    monkeypatch.setattr(phases_module, "ERROR", 1 << 200)
    generator = fast("0.52", "25", digits, folder)
    k = generator.key(1)
    expected = Generator("0.52", "25", digits).key(1).read(0, 2048)
    assert read(k, 0, 2048) == expected
    assert sum(k._exact(e) << 7 - e for e in range(8)) == expected[0]


def test_the_watchdog_is_fed_in_long_rows_of_exact_bits(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    fed: list[int] = []
    generator = fast("0.52", "25", 3, folder)
    monkeypatch.setattr(generator.phases, "feed_watchdog", lambda: fed.append(1))
    key = generator.key(1)
    pieces = 4
    for element in range(pieces * phases_module._AHEAD):
        key._exact(element)
    assert len(fed) == phases_module._ROW + pieces


@settings(max_examples=30, deadline=None)
@given(every_d, st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 900)), min_size=2, max_size=12))
def test_reads_do_not_depend_on_one_another(folder: str, digits: int, reads: list[tuple[int, int]]) -> None:
    generator = fast("0.52", "25", digits, folder)
    keys = [(generator.key(k), Generator("0.52", "25", digits).key(k)) for k in (1, 2)]
    for i, (first, count) in enumerate(reads):
        key, exact = keys[i & 1]
        assert read(key, first, count) == exact.read(first, count)
        assert read(key, first + count, 64) == exact.read(first + count, 64)


def test_many_blocks_in_a_row(folder: str) -> None:
    """The read continues past the exact restarts of the middle of a block."""
    for digits in (3, 4, 6, 9, 12):
        generator = fast("0.52", "25", digits, folder)
        count = 300 * 128
        assert read(generator.key(3), 0, count) == Generator("0.52", "25", digits).key(3).read(0, count)


def test_ranges(folder: str) -> None:
    for digits in (3, 4):
        generator = fast("0.52", "25", digits, folder)
        for k in (0, MAX_INDEX + 1):
            with pytest.raises(ValueError, match="key index"):
                generator.key(k)
        for first in (-8, MAX_ELEMENTS):
            with pytest.raises(ValueError, match="element index"):
                generator.key(1).read_into(bytearray(1), first)
        generator.key(1).read_into(bytearray(), MAX_ELEMENTS)


def test_a_unit_takes_the_generator_of_its_board(folder: str) -> None:
    def make_generator(p1: str, p2: str, digits: int) -> Any:
        return fast_generator(p1, p2, digits, folder, lambda: None)

    chunks: list[bytes] = []
    for unit in (MemoryUnit(make_generator=make_generator), MemoryUnit()):
        host = Host(unit)
        host.provision()
        chunks += host.ask(commands.KEY_CHUNK, 0, 5, 777, commands.MAX_CHUNK)
        assert host.firmware.state.opened
        assert isinstance(host.firmware.state.member.generator, Generator) is (len(chunks) > 1)
    assert chunks[0] == chunks[1]
