# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fast bits on a board: its own lanes, and what operations cost there."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware import fast_generators
from firmware.fast_generators import fast, read
from ndks_unit.fast_bits import plain_lanes
from ndks_unit.fast_bits.lane_bits import _BLOCK

folder = fast_generators.folder
no_tables_are_kept = fast_generators.no_tables_are_kept


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
