# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tables that are damaged, read early, or do not fit in memory."""

from pathlib import Path

import pytest
from hosts.memory import Host

from firmware import fast_generators
from firmware.fast_generators import fast
from ndks_emulator import MemoryUnit
from ndks_protocol import cell_tables, commands
from ndks_protocol.generator import Generator
from ndks_unit.fast_bits import tables
from ndks_unit.fast_bits.generator import fast_generator, prepare
from ndks_unit.fast_bits.lane_bits import LaneGenerator
from ndks_unit.fast_bits.table_bits import TableGenerator
from ndks_unit.fast_bits.tables import find, read_early, release_spare

folder = fast_generators.folder
no_tables_are_kept = fast_generators.no_tables_are_kept


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
