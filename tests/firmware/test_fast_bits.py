# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The board's fast generator equals the exact one: at random, in hard cases, and from any element on."""

import importlib
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import mpmath
import numpy as np
import pytest
from hosts.memory import Host
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ndks.board import tables as maker
from ndks_emulator import MemoryUnit
from ndks_protocol import cell_tables, commands
from ndks_protocol.generator import MAX_ELEMENTS, MAX_INDEX, Generator
from ndks_unit.fast_bits import phases as phases_module
from ndks_unit.fast_bits import plain_lanes, tables
from ndks_unit.fast_bits.circle import ERROR, Circle
from ndks_unit.fast_bits.generator import fast_generator, prepare
from ndks_unit.fast_bits.lane_bits import _BLOCK, _LANES, LaneGenerator, _in_each
from ndks_unit.fast_bits.phases import Phases
from ndks_unit.fast_bits.table_bits import TableGenerator
from ndks_unit.fast_bits.tables import find, read_early, release_spare

MOST = 2300  # elements: more than a stretch of the tables, and many blocks of lanes

decimals = st.builds(
    lambda sign, whole, fraction: f"{sign}{whole}.{fraction}",
    st.sampled_from(["", "-"]),
    st.integers(0, 10**30),
    st.text("0123456789", min_size=2, max_size=40).filter(lambda text: text.strip("0")),
)
every_d = st.integers(1, 12)
indices = st.one_of(st.integers(1, 100), st.integers(1, MAX_INDEX), st.just(MAX_INDEX))
near_powers = st.builds(lambda power, offset: max((1 << power) + offset, 0), st.integers(0, 40), st.integers(-300, 300))
firsts = st.one_of(near_powers, st.integers(0, 40).flatmap(lambda power: st.integers(0, (1 << power) - 1)))
counts = st.one_of(st.integers(0, 140), st.integers(0, MOST))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tables")
    for digits in cell_tables.CELL_BITS:
        (folder / cell_tables.file_name(digits)).write_bytes(maker.table_file(digits))
    return str(folder)


@pytest.fixture(autouse=True)
def no_tables_are_kept() -> None:
    tables._kept.clear()


def fast(p1: str, p2: str, digits: int, folder: str) -> Any:
    tables._kept.clear()
    return fast_generator(p1, p2, digits, folder, lambda: None)


def read(key: Any, first: int, count: int) -> bytes:
    """Return `count` bits from element `first` on, as `Keystream.read` does; the board reads whole bytes."""
    data = bytearray((first + count + 7) // 8 - first // 8)
    key.read_into(data, first // 8 * 8)
    bits = "".join(f"{byte:08b}" for byte in data)[first % 8 :][:count]
    return bytes(int(bits[i : i + 8].ljust(8, "0"), 2) for i in range(0, count, 8))


def assert_same(p1: str, p2: str, digits: int, folder: str, k: int, first: int, count: int) -> None:
    first = min(first, MAX_ELEMENTS - count)
    expected = Generator(p1, p2, digits).key(k).read(first, count)
    assert read(fast(p1, p2, digits, folder).key(k), first, count) == expected


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


class Ulab(ModuleType):
    """The modules of a board that extract bits from lanes: NumPy, and the transposition of bits."""

    numpy = np

    @staticmethod
    def bit_transpose(words: Any, output: memoryview, width: int) -> None:
        """Output byte 8 i + j has bit 7 - j of byte i of each eighth of the input, from bit 0 on."""
        assert width == 8
        rows = np.frombuffer(words.tobytes(), np.uint8).reshape(8, -1)
        bits = np.unpackbits(rows[:, :, None], axis=2)  # part, byte, bit
        output[:] = np.packbits(bits, axis=0, bitorder="little").reshape(-1).tobytes()


@pytest.fixture
def board_lanes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    name = "ndks_unit.fast_bits.lanes"
    for absent in ("ulab", "bitops", name):
        monkeypatch.setitem(sys.modules, absent, Ulab(absent))
    del sys.modules[name]
    return importlib.import_module(name)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.data(),
    st.sampled_from([16, 64, 128]),
    st.sampled_from([6, 8, 10]),
    st.integers(1, 200),
    st.sampled_from([False, True]),
)
def test_lanes_of_the_board_are_those_of_plain_python(
    board_lanes: ModuleType, data: st.DataObject, count: int, width: int, error: int, sum_is_before: bool
) -> None:
    values = [
        int.from_bytes(data.draw(st.binary(min_size=count * width, max_size=count * width)), "little") for _ in "ab"
    ]
    top = data.draw(st.sampled_from(range(0, width, 2)))
    bits, found = [], []
    for module in (board_lanes, plain_lanes):
        bits.append(bytearray(count // 4))
        found.append(sorted(module.Lanes(count, width, top, error).bits(*values, sum_is_before, bits[-1])))
    assert bits[0] == bits[1]
    assert found[0] == found[1]
    raw = values[0].to_bytes(count * width, "little")
    assert bytes(board_lanes.narrowed(raw, count, top + 2)) == plain_lanes.narrowed(raw, count, top + 2)


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


# Tables


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


def test_a_damaged_table_is_not_used(folder: str, tmp_path: Path) -> None:
    content = bytearray(Path(folder, "cells3.bin").read_bytes())
    for damaged in (content[:-1], content[:100], b"", content[:5000] + b"\x07" + content[5001:]):
        tables._kept.clear()
        (tmp_path / "cells3.bin").write_bytes(damaged)
        assert find(str(tmp_path), 3) is None
        assert isinstance(fast("0.52", "25", 3, str(tmp_path)), LaneGenerator)
    (tmp_path / "cells3.bin").write_bytes(content)
    assert isinstance(fast("0.52", "25", 3, str(tmp_path)), TableGenerator)


def test_tables_that_were_read_early_are_kept_or_given_up(folder: str) -> None:
    read_early(folder)
    kept = find("/nowhere", 3)
    assert kept is not None
    assert find("/nowhere", 3) is kept, "also for the next session"
    assert find("/nowhere", 9) is None
    assert find("/nowhere", 3) is None, "their memory was needed"
    release_spare()


@pytest.mark.parametrize("digits", [1, 2, 3, 4, 12])
def test_what_is_prepared_at_the_start_is_there_in_each_session(folder: str, digits: int) -> None:
    prepare(digits, folder)
    made = [fast_generator("0.52", "25", digits, "/nowhere", lambda: None) for _ in range(2)]
    kind = TableGenerator if digits in cell_tables.CELL_BITS else LaneGenerator
    assert {type(generator) for generator in made} == {kind}
    assert len(tables._kept) == (digits in cell_tables.CELL_BITS)


# Cost on a board


class Counted(int):
    """An integer that counts its operations, and the results that a board would allocate on its heap."""

    operations = 0
    on_the_heap = 0

    @classmethod
    def result(cls, value: int) -> "Counted":
        cls.operations += 1
        cls.on_the_heap += not -(1 << 30) <= value < 1 << 30
        return cls(value)


def _counting(name: str) -> Callable[[Counted, int], Counted]:
    return lambda self, other: Counted.result(getattr(int, name)(self, other))


for _name in ("add", "sub", "mul", "and", "or", "xor", "lshift", "rshift"):
    for _prefix in ("", "r"):
        setattr(Counted, f"__{_prefix}{_name}__", _counting(f"__{_prefix}{_name}__"))
Counted.__neg__ = lambda self: Counted.result(-int(self))  # type: ignore[method-assign]


@pytest.fixture
def count() -> type[Counted]:
    Counted.operations = Counted.on_the_heap = 0
    return Counted


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_the_loop_over_the_tables_allocates_nothing(folder: str, digits: int, count: type[Counted]) -> None:
    key = fast("0.52", "25", digits, folder).key(1)
    key._steps = [Counted(step) for step in key._steps]
    key._step_of_word = Counted(key._step_of_word)
    exact = []
    key._exact = lambda element: exact.append(element) or 0
    key._starts = [Counted(0)]
    for block in range(64):
        key._make_blocks(0, 32, Counted(block * 8388593))
    elements = 64 * 256
    assert count.on_the_heap == 0
    assert count.operations < 2.7 * elements
    assert len(exact) < elements // 1000


@pytest.mark.parametrize("digits", range(4, 13))
def test_a_block_of_lanes_takes_a_few_integers(digits: int, count: type[Counted], folder: str) -> None:
    key = fast("0.52", "25", digits, folder).key(1)
    read(key, 0, 1024)
    exact = []
    key._exact = lambda element: exact.append(element) or 0
    key._cosines, key._sines = Counted(key._cosines), Counted(key._sines)
    key._rotation = tuple(map(Counted, key._rotation))
    blocks = 64
    for _ in range(blocks):
        key._middle = tuple(map(Counted, key._middle))
        key._make(key._next)
    assert count.on_the_heap <= 16 * blocks  # four of them contain all lanes
    assert len(exact) < blocks * _BLOCK // 300


def test_without_room_for_a_table_lanes_do(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that was damaged at the early read is read again later, when the heap is full."""

    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("ndks_unit.fast_bits.tables.Tables", refuse)
    assert find(folder, 3) is None
    assert isinstance(fast("0.52", "25", 3, folder), LaneGenerator)


def test_without_room_for_any_fast_algorithm_the_slow_one_does() -> None:
    def make_generator(*_: object) -> object:
        raise MemoryError

    host = Host(MemoryUnit(make_generator=make_generator))
    host.provision()
    assert host.ask(commands.NEXT_INDEX) == (0, 1)
    assert host.firmware.state.opened
    assert isinstance(host.firmware.state.member.generator, Generator)
