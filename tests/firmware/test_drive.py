# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The state of a board: nvm and the two snapshot files on its drive, intact and damaged."""

from collections.abc import Callable

import pytest
from hosts.network import named

from firmware.stand_ins import Chip, Host, Script
from ndks_protocol import commands, errors
from ndks_protocol.flash import SNAPSHOT_AT, SNAPSHOT_FILE_SIZE

STEP = 2  # every jump writes a record, so the log fills up soon


def jump(host: Host, count: int) -> Script:
    """Acknowledge every second key, `count` times."""
    for _ in range(count):
        _, index = yield from host.ask(commands.NEXT_INDEX)
        after = yield from host.ask(commands.ACKNOWLEDGE, 0, index + STEP - 1, 0)
        assert after == (index + STEP,)


def jump_until_full(host: Host) -> Script:
    with pytest.raises(errors.UnitError, match="STORAGE"):
        yield from jump(host, 100)


def next_index(chip: Chip) -> int:
    """Restart the unit and return its next index."""
    found: list[int] = []

    def script(host: Host) -> Script:
        host.open()
        found.append((yield from host.ask(commands.NEXT_INDEX))[1])

    chip.boot()
    chip.run(script)
    return found[0]


def after_provisioning(rest: Callable[[Host], Script]) -> Callable[[Host], Script]:
    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        yield from rest(host)

    return script


def test_the_state_outlives_a_restart(chip: Chip) -> None:
    chip.run(after_provisioning(lambda host: jump(host, 5)))
    assert next_index(chip) == 1 + 5 * STEP
    assert (chip.sector.erases, chip.drive.syncs) == (0, 0)


def test_a_full_log_is_compacted_through_both_files_in_turn(chip: Chip) -> None:
    chip.run(after_provisioning(lambda host: jump(host, 150)))
    assert chip.sector.erases == chip.drive.syncs == 4
    assert next_index(chip) == 1 + 150 * STEP
    first, second = chip.drive.images
    assert first != second
    assert {path.stat().st_size for path in chip.drive.snapshots} == {SNAPSHOT_FILE_SIZE}


def test_a_snapshot_stands_in_for_a_lost_nvm(chip: Chip) -> None:
    """The state is that after a power cut between erasing and programming; counts since the snapshot are lost."""
    chip.run(after_provisioning(lambda host: jump(host, 36)))
    assert chip.sector.erases == 1
    chip.sector.content[:] = b"\xff" * 4096
    assert 1 + 30 * STEP < next_index(chip) < 1 + 36 * STEP


@pytest.mark.parametrize("jumper", [False, True])
def test_a_drive_that_usb_shows_is_reported_as_read_only(chip: Chip, jumper: bool) -> None:
    chip.jumper.grounded = jumper
    chip.boot()

    def script(host: Host) -> Script:
        host.open()
        for command in (commands.HELLO, commands.STATUS):
            answer = named(command.answer, (yield from host.ask(command)))
            assert bool(answer["flags"] & commands.READ_ONLY) is jumper

    chip.run(script)


def test_on_a_read_only_drive_a_full_log_refuses_and_loses_nothing(chip: Chip) -> None:
    chip.jumper.grounded = True
    chip.boot()

    def script(host: Host) -> Script:
        yield from jump_until_full(host)
        before = bytes(chip.sector.content)
        _, index = yield from host.ask(commands.NEXT_INDEX)
        key = yield from host.ask(commands.KEY_CHUNK, 0, index, 0, 32)
        with pytest.raises(errors.UnitError, match="STORAGE"):
            yield from host.ask(commands.ACKNOWLEDGE, 0, index + 1, 0)
        assert (yield from host.ask(commands.NEXT_INDEX)) == (0, index)
        assert (yield from host.ask(commands.KEY_CHUNK, 0, index, 0, 32)) == key
        assert chip.sector.content == before

    chip.run(after_provisioning(script))
    assert chip.sector.erases == 0
    refused_at = next_index(chip)
    assert refused_at > 30 * STEP

    chip.jumper.grounded = False
    chip.boot()
    chip.run(_go_on)
    assert next_index(chip) == refused_at + 10 * STEP


@pytest.mark.parametrize("missing", [(0,), (1,), (0, 1)])
def test_without_a_snapshot_file_the_unit_works_until_its_log_is_full(chip: Chip, missing: tuple[int, ...]) -> None:
    for slot in missing:
        chip.drive.snapshots[slot].unlink()

    def script(host: Host) -> Script:
        status = named(commands.STATUS.answer, (yield from host.ask(commands.STATUS)))
        assert status["flags"] & commands.READ_ONLY
        yield from jump_until_full(host)

    chip.run(after_provisioning(script))
    refused_at = next_index(chip)
    assert refused_at > 30 * STEP

    for slot in missing:
        chip.drive.snapshots[slot].write_bytes(b"\xff" * SNAPSHOT_FILE_SIZE)
    chip.boot()
    chip.run(_go_on)
    assert next_index(chip) == refused_at + 10 * STEP


@pytest.mark.parametrize("size", [0, 512, SNAPSHOT_AT, SNAPSHOT_AT + 24, SNAPSHOT_FILE_SIZE - 512])
def test_a_snapshot_file_that_was_cut_short_counts_as_missing(chip: Chip, size: int) -> None:
    chip.run(after_provisioning(lambda host: jump(host, 5)))
    chip.drive.snapshots[0].write_bytes(b"\xff" * size)

    def script(host: Host) -> Script:
        host.open()
        status = named(commands.STATUS.answer, (yield from host.ask(commands.STATUS)))
        assert status["flags"] & commands.READ_ONLY

    chip.boot()
    chip.run(script)
    assert next_index(chip) == 1 + 5 * STEP


@pytest.mark.parametrize("size", [0, 512, SNAPSHOT_AT, SNAPSHOT_FILE_SIZE - 512])
def test_no_compaction_through_a_snapshot_file_that_was_cut_short(chip: Chip, size: int) -> None:
    for path in chip.drive.snapshots:
        path.write_bytes(b"\xff" * size)
    chip.run(after_provisioning(jump_until_full))
    assert chip.sector.erases == 0
    assert all(path.stat().st_size == size for path in chip.drive.snapshots)


def _go_on(host: Host) -> Script:
    host.open()
    yield from jump(host, 10)
