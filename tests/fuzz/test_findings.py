# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Findings of fuzzing, each with the smallest input that shows it."""

from pathlib import Path

import flash_reference
import pytest
from conversation import ERASE, FIRST
from flash_reference import BINDING, BOOTS, EXPORT_COUNTER, MESSAGE_COUNTER, STATE_FORMAT, TAMPERED, WRONG_ATTEMPTS

from fuzz.bench import Bench, bound_unit
from ndks.driver.answers import Hello
from ndks.exceptions import FileError
from ndks.laptop.bindings import BindingStore
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, errors
from ndks_protocol.commands import STATUS

SERIAL = "0011223344556677"


def with_record(kind: int, body: bytes, sequence: int = 1000) -> MemoryUnit:
    """Return a bound unit with one more record in flash. Anyone who has the flash can compute the correct tag."""
    unit = bound_unit().clone()
    offset = unit.clone().firmware.state.log.used
    record = flash_reference.record(kind, sequence, body, FIRST)
    unit.flash.nvm.content[offset : offset + len(record)] = record
    return unit


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (BINDING, bytes(5)),
        (BINDING, bytes(67)),
        (TAMPERED, b""),
        (BOOTS, bytes(1)),
        (WRONG_ATTEMPTS, bytes(3)),
        (EXPORT_COUNTER, bytes(11)),
        (MESSAGE_COUNTER, bytes(13)),
    ],
)
def test_a_record_of_another_size_is_stepped_over(kind: int, body: bytes) -> None:
    bench = Bench(with_record(kind, body), FIRST)
    assert bench.send(STATUS.code, b"") == 0
    bench.open_session()
    assert bench.unlocked
    assert bench.firmware.state.log.body(kind) != body


def test_the_last_start_that_can_be_counted_is_not_the_last_one() -> None:
    bench = Bench(with_record(BOOTS, b"\xff" * 8), FIRST)
    bench.open_session()
    assert bench.unlocked


def test_as_many_wrong_attempts_as_can_be_counted_are_not_too_many() -> None:
    bench = Bench(with_record(WRONG_ATTEMPTS, b"\xff" * 4), FIRST)
    bench.unit.clock.milliseconds += 60_001
    bench.open_session(up_to=commands.OPEN_SESSION.code)
    assert bench.send(commands.PROVE.code, bytes(16)) == errors.LOCKED


def test_the_highest_sequence_number_is_not_the_last_one() -> None:
    bench = Bench(with_record(STATE_FORMAT, b"\3" + bytes(4), 0xFFFFFFFF), FIRST)
    bench.open_session()
    assert bench.code_of(commands.ACKNOWLEDGE, 0, 1, 0) == 0


def test_a_unit_that_was_erased_as_often_as_can_be_counted_can_be_erased() -> None:
    unit = with_record(STATE_FORMAT, b"\3" + b"\xff" * 4)
    assert Bench(unit.clone(), FIRST).send(commands.ZEROIZE.code, ERASE) == 0
    Bench(unit, FIRST).open_case()


NOT_NUMBERS = ("Infinity", "-1", "1.5", '"7"')


def store_of_a_laptop(directory: Path) -> BindingStore:
    store = BindingStore(directory, lambda *, with_network: (("board", "one"),))
    store.begin(Hello(2, 0, "", 3, "locked", [], SERIAL, "11" * 16, "", 1120, 10, 256, 1), with_network=False)
    return store


# A large own number is valid: ndks 0.1 stored the numbers of units unchecked.
@pytest.mark.parametrize(
    ("field", "value"),
    [("epoch", str(1 << 64)), *((field, value) for field in ("epoch", "own_number") for value in NOT_NUMBERS)],
)
def test_a_unit_file_with_an_impossible_number_is_damaged(tmp_path: Path, field: str, value: str) -> None:
    store = store_of_a_laptop(tmp_path)
    path = tmp_path / "units" / f"{SERIAL}.json"
    path.write_text(path.read_text().replace(f'"{field}": 0', f'"{field}": {value}'))
    with pytest.raises(FileError, match="damaged"):
        store.unit(SERIAL)


def test_a_copy_that_is_refused_for_one_of_its_files_leaves_the_secret_as_it_is(tmp_path: Path) -> None:
    store = store_of_a_laptop(tmp_path)
    before = (tmp_path / "host_secret").read_bytes()
    files = {"host_secret": b"77" * 32, "units/another.txt": b""}
    with pytest.raises(FileError, match="contains an unexpected file"):
        store.replace(files, overwrite=True)
    assert (tmp_path / "host_secret").read_bytes() == before
