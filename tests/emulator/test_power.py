# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Power cuts at every step of flash leave the content that a chip would have, in memory and on disk."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ndks_emulator import Power, PowerCut
from ndks_emulator.sector import PAGE, SECTOR, Sector
from ndks_emulator.stores import DriveFile, OpenFile

BLANK = b"\xff" * SECTOR
OLD = random.Random(1).randbytes(SECTOR)
NEW = random.Random(2).randbytes(SECTOR)
WHOLE = 2 * (1 + SECTOR // PAGE)  # steps of an erase and of the programming of every page

Operation = Callable[[Sector], None]
OPERATIONS: dict[str, tuple[bytes, Operation, int]] = {
    "a page": (BLANK, lambda sector: sector.write(3, NEW[:100]), 2),
    "two pages": (BLANK, lambda sector: sector.write(PAGE - 1, NEW[:2]), 4),
    "a programmed byte": (OLD, lambda sector: sector.write(0, b"\0"), WHOLE),
    "a snapshot": (OLD, lambda sector: sector.overwrite(NEW), WHOLE),
    "a snapshot that was blank": (BLANK, lambda sector: sector.overwrite(NEW), WHOLE),
}


def sector_with(content: bytes, *, fine: bool = False) -> tuple[Power, Sector]:
    power = Power(fine=fine)
    sector = Sector(power)
    sector.content[:] = content
    return power, sector


def cut_after(steps: int, before: bytes, operation: Operation, *, fine: bool = False) -> bytes:
    """Return the content after a power cut at this step; the cut must occur."""
    power, sector = sector_with(before, fine=fine)
    power.steps_left = steps
    with pytest.raises(PowerCut):
        operation(sector)
    assert power.steps == steps
    return bytes(sector.content)


def steps_of(before: bytes, operation: Operation, *, fine: bool = False) -> int:
    power, sector = sector_with(before, fine=fine)
    operation(sector)
    return power.steps


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_erase_and_every_program_takes_two_steps(name: str) -> None:
    before, operation, steps = OPERATIONS[name]
    assert steps_of(before, operation) == steps


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_step_more_than_there_are_and_the_operation_ends(name: str) -> None:
    before, operation, steps = OPERATIONS[name]
    power, sector = sector_with(before)
    power.steps_left = steps + 1
    operation(sector)
    assert (power.on, power.steps_left) == (True, 1)
    assert cut_after(steps, before, operation) == sector.content, "the operation was complete when the power was cut"


def test_erase_leaves_all_half_or_nothing() -> None:
    _, operation, _ = OPERATIONS["a snapshot"]
    half = SECTOR // 2
    states = [cut_after(steps, OLD, operation) for steps in range(3)]
    assert states == [OLD, BLANK[:half] + OLD[half:], BLANK]


def test_pages_are_programmed_one_after_another_each_torn_in_its_middle() -> None:
    _, operation, steps = OPERATIONS["a snapshot"]
    for done in range(2, steps + 1):
        pages, half = divmod(done - 2, 2)
        content = cut_after(done, OLD, operation)
        assert content[: pages * PAGE] == NEW[: pages * PAGE]
        assert content[(pages + half) * PAGE :] == BLANK[(pages + half) * PAGE :]
        if half:
            check_torn(content[pages * PAGE : (pages + 1) * PAGE], NEW[pages * PAGE : (pages + 1) * PAGE])


def check_torn(page: bytes, wanted: bytes) -> None:
    """Check that a prefix is programmed, at most one byte partly, and the rest not at all."""
    position = next(position for position in range(PAGE) if page[position] != wanted[position])
    assert PAGE // 4 < position < 3 * PAGE // 4
    assert page[position + 1 :] == b"\xff" * (PAGE - position - 1)
    missing = page[position] & ~wanted[position]
    assert page[position] & wanted[position] == wanted[position], "no bit is cleared that should stay"
    assert missing.bit_count() == 1
    assert page[position] != 0xFF or wanted[position].bit_count() == 7


def test_single_byte_is_torn_as_well() -> None:
    assert cut_after(1, BLANK, lambda sector: sector.write(100, b"\0"))[99:102] == b"\xff\x01\xff"


def test_program_that_changes_nothing_takes_its_steps() -> None:
    assert cut_after(1, BLANK, lambda sector: sector.write(0, b"\xff" * PAGE)) == BLANK


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("kind", ["open", "drive"])
@pytest.mark.parametrize("fine", [False, True])
def test_disk_holds_what_flash_would_at_every_cut(tmp_path: Path, name: str, kind: str, fine: bool) -> None:
    before, operation, _ = OPERATIONS[name]
    path = tmp_path / "flash.bin"
    for steps in range(0, steps_of(before, operation, fine=fine) + 1, 97 if fine else 1):
        path.write_bytes(before)
        power = Power(fine=fine)
        sector = Sector(power, OpenFile(path, SECTOR) if kind == "open" else DriveFile(path))
        power.steps_left = steps
        with pytest.raises(PowerCut):
            operation(sector)
        sector.close()
        assert path.read_bytes() == cut_after(steps, before, operation, fine=fine)


def test_without_power_nothing_works_until_it_is_back() -> None:
    power, sector = sector_with(BLANK)
    power.steps_left = 1
    operations: list[Callable[[], object]] = [
        lambda: sector.write(0, b"state"),
        lambda: sector.write(0, b"state"),
        lambda: sector.overwrite(b"state"),
        lambda: sector.read(0, 1),
        power.check,
    ]
    for operation in operations:
        with pytest.raises(PowerCut):
            operation()
        assert (power.on, power.steps, power.steps_left) == (False, 1, 0)
    power.restore()
    assert sector.read(0, 3) == b"st\xff"[:2] + sector.read(2, 1)
    sector.overwrite(b"state")
    assert sector.read(0, 5) == b"state"
    assert (power.on, power.steps, power.steps_left) == (True, 1 + WHOLE, None)


def test_power_cut_goes_past_what_catches_exceptions() -> None:
    assert not issubclass(PowerCut, Exception)


def test_fine_steps_are_bytes() -> None:
    def operation(sector: Sector) -> None:
        sector.write(10, b"\0\0\xfe")

    states = [cut_after(steps, BLANK, operation, fine=True)[10:13] for steps in range(7)]
    assert states == [
        *(b"\xff\xff\xff", b"\x01\xff\xff", b"\x00\xff\xff", b"\x00\x01\xff", b"\x00\x00\xff"),
        *(b"\x00\x00\xff", b"\x00\x00\xfe"),
    ]


def test_fine_erase_begins_with_some_bits_everywhere() -> None:
    half = SECTOR // 2
    states = [cut_after(steps, OLD, lambda sector: sector.overwrite(NEW), fine=True) for steps in range(4)]
    assert states == [OLD, bytes(byte | 0x55 for byte in OLD), BLANK[:half] + OLD[half:], BLANK]
