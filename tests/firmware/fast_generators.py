# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fast generators with their tables, their parameters at random, and the bits of exact ones."""

from typing import Any

import pytest
from hypothesis import strategies as st

from ndks.board import tables as maker
from ndks_protocol import cell_tables
from ndks_protocol.generator import MAX_ELEMENTS, MAX_INDEX, Generator
from ndks_unit.fast_bits import tables
from ndks_unit.fast_bits.generator import fast_generator

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
