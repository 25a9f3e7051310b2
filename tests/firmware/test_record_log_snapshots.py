# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the record log's snapshots and compactions."""

import pytest
from hosts.memory import new_flash

from firmware.logs import JUMP_RECORD, check_it_goes_on, counter, counter_of, opened
from ndks_emulator import MemoryFlash
from ndks_protocol import errors
from ndks_protocol.flash import NVM_SIZE
from ndks_unit.flash.counters import ExportCounter
from ndks_unit.flash.records import EXPORT_COUNTER, MEMBERSHIP, STATE_FORMAT, TAIL


def test_a_damaged_snapshot_does_no_harm() -> None:
    flash = _compacted_by_jumps()
    newest = counter_of(opened(flash))
    for position in (*range(0, NVM_SIZE, 97), NVM_SIZE - 1):
        damaged = flash.clone()
        assert damaged.snapshots[0]
        damaged.snapshots[0].content[position] ^= 0xFF
        log = opened(damaged)
        assert (counter_of(log), log.body(MEMBERSHIP)) == (newest, b"member")
        check_it_goes_on(damaged, log)


def test_a_snapshot_that_is_not_whole_is_not_looked_at() -> None:
    """None of its records is used: it may have records that have been replaced."""
    flash = _compacted_by_jumps()
    flash.nvm.content[:] = b"\xff" * NVM_SIZE
    assert opened(flash).body(MEMBERSHIP) == b"member"
    for position in (*range(0, NVM_SIZE, 97), NVM_SIZE - 1):
        damaged = flash.clone()
        assert damaged.snapshots[0]
        damaged.snapshots[0].content[position] ^= 0x10
        log = opened(damaged)
        assert (log.body(MEMBERSHIP), log.body(EXPORT_COUNTER), log.body(STATE_FORMAT)) == (None, None, None)


def test_what_is_in_a_snapshot_alone_is_kept_by_all_later_compactions() -> None:
    flash = new_flash()
    log = opened(flash)
    log.append(MEMBERSHIP, b"member")
    for value in range(10, 2000, 10):
        if value % 500 == 0:  # nvm is lost, as after a cut between erasing and programming
            log.append(EXPORT_COUNTER, counter(value))
            log.compact()
            flash.nvm.content[:] = b"\xff" * NVM_SIZE
            log = opened(flash)
        log.append(EXPORT_COUNTER, counter(value))
    assert opened(flash).body(MEMBERSHIP) == b"member"


# Failed writes


def test_nvm_is_not_erased_for_a_snapshot_that_did_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    flash = new_flash()
    log = opened(flash)
    log.append(MEMBERSHIP, b"member")
    while log.used + JUMP_RECORD <= log.size:
        log.append(EXPORT_COUNTER, counter(log.used))
    newest = counter_of(log)
    monkeypatch.setattr(flash, "snapshot_write", lambda slot, data: None)
    with pytest.raises(errors.UnitError, match="STORAGE"):
        log.append(EXPORT_COUNTER, counter(log.used))
    assert flash.nvm.erases == 0
    assert (opened(flash).body(MEMBERSHIP), counter_of(opened(flash))) == (b"member", newest)


@pytest.mark.parametrize("steps", [1, 2, TAIL - 1, TAIL, TAIL + 1])
def test_what_is_counted_after_a_compaction_wins_over_its_snapshot(steps: int) -> None:
    flash = new_flash()
    log = opened(flash)
    log.append(EXPORT_COUNTER, counter(1000))
    while not flash.nvm.erases:
        log.append(MEMBERSHIP, bytes(200))
    for _ in range(steps):
        log.count(EXPORT_COUNTER)
    assert counter_of(opened(flash)) == 1000 + steps


def test_after_a_record_that_failed_and_is_valid_all_the_same_nothing_is_counted_in_vain() -> None:
    """The padding is missing: the write is refused, but at the next start this record is the newest."""
    flash = new_flash()
    log = opened(flash)
    log.append(EXPORT_COUNTER, counter(5))
    flash.nvm.stuck.add(log.used + 40)
    with pytest.raises(errors.UnitError, match="STORAGE"):
        log.append(EXPORT_COUNTER, counter(7))
    for _ in range(10):
        log.count(EXPORT_COUNTER)
    assert counter_of(log) == counter_of(opened(flash)) == 15


def test_after_a_failed_compaction_nothing_is_counted_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    flash = new_flash()
    log = opened(flash)
    steps = ExportCounter(log, 0)
    while log.used + JUMP_RECORD <= log.size:
        steps.advance_to(steps.next + 2)
    program = flash.nvm._program
    monkeypatch.setattr(flash.nvm, "_program", lambda offset, data: None)
    with pytest.raises(errors.UnitError, match="STORAGE"):
        steps.advance_to(steps.next + 2)
    monkeypatch.setattr(flash.nvm, "_program", program)
    assert flash.nvm.erases == 1
    steps.advance_to(steps.next + 1)
    assert counter_of(opened(flash)) == steps.next


def test_compaction_needs_no_new_large_piece_of_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    """After hours the heap of a board may have no contiguous 4 KB; the unit could then never write again."""
    flash = new_flash()
    log = opened(flash)
    written: list[object] = []
    read: list[int] = []
    snapshot_write, snapshot_read = flash.snapshot_write, flash.snapshot_read
    monkeypatch.setattr(flash, "snapshot_write", lambda slot, data: (written.append(data), snapshot_write(slot, data)))

    def read_piece(slot: int, offset: int, size: int) -> bytes:
        read.append(size)
        return snapshot_read(slot, offset, size)

    monkeypatch.setattr(flash, "snapshot_read", read_piece)
    for value in range(400):
        log.append(EXPORT_COUNTER, counter(value))
    assert len(written) >= 2
    assert all(image is written[0] for image in written)
    assert max(read) <= 256


def _compacted_by_jumps() -> MemoryFlash:
    """Return a flash whose log has been compacted once, and has one more jump."""
    flash = new_flash()
    log = opened(flash)
    log.append(MEMBERSHIP, b"member")
    value = 0
    while not flash.nvm.erases:
        value += 10
        log.append(EXPORT_COUNTER, counter(value))
    return flash
