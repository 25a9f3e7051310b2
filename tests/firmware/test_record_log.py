# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The record log: published bytes, wear, and damage."""

import copy
import hashlib
import struct

import pytest
from support.reference import load_vectors

from firmware.exchange import ask
from firmware.member import membership
from firmware.memory_board import MemoryBoard
from ndks_protocol import commands, errors
from ndks_protocol.flash import NVM_SIZE
from ndks_unit.exported_keys import ExportCounter
from ndks_unit.record_log import RecordLog
from ndks_unit.records import EXPORT_COUNTER, MEMBERSHIP, STATE_FORMAT
from ndks_unit.unit import Unit

VECTOR = load_vectors("records")
IMAGE = bytes.fromhex(VECTOR["nvm"])
TAIL = 64  # keys that one record of a counter can count
LAST_RECORD = len(IMAGE) - TAIL - 48  # of EXPORT_COUNTER, whose value was 4 before


def board_with(image: bytes) -> MemoryBoard:
    """A board whose drive holds no snapshot."""
    board = MemoryBoard()
    board.nvm.content[: len(image)] = image
    board.snapshots = [None, None]
    return board


def counter(value: int) -> bytes:
    return struct.pack(">IQ", 0, value)


def counter_of(log: RecordLog) -> int:
    return struct.unpack(">IQ", log.body(EXPORT_COUNTER))[1]


def test_published_records_byte_for_byte() -> None:
    board = MemoryBoard()
    unit = Unit(board)
    ask(board, unit, commands.PROVISION, *commands.PROVISION.request.unpack(bytes.fromhex(VECTOR["provision"])))
    for index in VECTOR["acknowledged"]:
        ask(board, unit, commands.ACKNOWLEDGE, 0, index, 0)
    assert bytes(board.nvm.content) == IMAGE.ljust(NVM_SIZE, b"\xff")
    assert ask(board, Unit(board), commands.NEXT_INDEX) == (0, VECTOR["next_index"])


def test_published_records_are_understood() -> None:
    log = RecordLog(board_with(IMAGE))
    assert log.body(STATE_FORMAT) == b"\2"
    assert log.body(MEMBERSHIP).hex() == VECTOR["provision"]
    assert counter_of(log) == VECTOR["next_index"]
    assert (log.used, log.size) == (len(IMAGE), NVM_SIZE - 32)


def test_an_empty_flash_holds_nothing() -> None:
    log = RecordLog(MemoryBoard())
    assert (log.body(MEMBERSHIP), log.used) == (None, 0)


@pytest.mark.parametrize("names", [5, 80])
def test_at_most_one_erase_in_1000_keys(names: int) -> None:
    """Flash endures about 100,000 erases. Here 0.45 in 1,000 keys are needed."""
    keys = 20_000
    board = MemoryBoard()
    log = RecordLog(board)
    log.append(STATE_FORMAT, b"\1")
    log.append(MEMBERSHIP, bytes(43 + 3 * names))
    counter = ExportCounter(log, 0)
    for index in range(1, keys + 1):
        counter.advance_to(index + 1)
    assert 0 < board.nvm.erases <= keys // 1000
    assert counter_of(RecordLog(board)) == keys + 1


def test_repeated_acknowledgements_cost_nothing() -> None:
    board = board_with(IMAGE)
    unit = Unit(board)
    before = bytes(board.nvm.content)
    for index in (1, 9, 3, 9):
        ask(board, unit, commands.ACKNOWLEDGE, 0, index, 0)
    assert board.nvm.content == before


def test_starting_writes_nothing() -> None:
    board = board_with(IMAGE)
    board.power.steps_left = 0  # so that it would not be possible
    assert ask(board, Unit(board), commands.NEXT_INDEX) == (0, VECTOR["next_index"])


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_a_damaged_byte_costs_its_record_alone(mask: int) -> None:
    for position in range(len(IMAGE) + 32):
        board = board_with(IMAGE)
        board.nvm.content[position] ^= mask
        log = RecordLog(board)
        assert log.body(STATE_FORMAT) == (None if position < 25 else b"\2")
        assert (log.body(MEMBERSHIP) is None) == (32 <= position < 32 + 24 + 56)
        if LAST_RECORD <= position < LAST_RECORD + 36:
            assert counter_of(log) == 4, "the record before counts again"
        else:
            assert counter_of(log) >= VECTOR["next_index"], "a damaged step burns indices, it gives none twice"
        _check_it_goes_on(board, log)


@pytest.mark.parametrize("size", range(48))
def test_a_torn_record_is_stepped_over(size: int) -> None:
    board = board_with(IMAGE[: LAST_RECORD + size])
    log = RecordLog(board)
    complete = size >= 36  # the rest is padding
    assert counter_of(log) == (VECTOR["next_index"] if complete else 4)
    assert log.body(MEMBERSHIP).hex() == VECTOR["provision"]
    _check_it_goes_on(board, log)


def test_garbage_all_over_is_no_reason_to_erase_or_to_fail() -> None:
    for content in (b"\0", b"\xf0", b"\xf4\0\x0c\0\0\0\1\0", b"\xf3\xff\xff\0\0\0\1\0", bytes(range(256))):
        image = (content * NVM_SIZE)[: NVM_SIZE - 32]
        board = board_with(image)
        unit = Unit(board)
        assert (unit.log.used, unit.member) == (unit.log.size, None)
        with pytest.raises(errors.UnitError, match="STORAGE"):  # no drive, no snapshot, no erasing
            ask(board, unit, commands.PROVISION, *membership())
        assert (bytes(board.nvm.content[: len(image)]), board.nvm.erases) == (image, 0)


def test_garbage_gives_way_to_records_through_a_snapshot() -> None:
    board = MemoryBoard()
    board.nvm.content[:] = b"\xf0" * NVM_SIZE
    ask(board, Unit(board), commands.PROVISION, *membership())
    assert board.nvm.erases == 1
    assert Unit(board).member


def test_nvm_is_not_erased_for_a_snapshot_that_did_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    board = MemoryBoard()
    log = RecordLog(board)
    log.append(MEMBERSHIP, bytes(3000))
    monkeypatch.setattr(board, "snapshot_write", lambda slot, data: None)
    with pytest.raises(errors.UnitError, match="STORAGE"):
        log.append(MEMBERSHIP, bytes(2000))
    assert board.nvm.erases == 0
    assert RecordLog(board).body(MEMBERSHIP) == bytes(3000)


def test_a_record_larger_than_the_flash_is_refused() -> None:
    board = MemoryBoard()
    log = RecordLog(board)
    log.append(MEMBERSHIP, b"member")
    with pytest.raises(errors.UnitError, match="STORAGE"):
        log.append(MEMBERSHIP, bytes(NVM_SIZE))
    assert log.body(MEMBERSHIP) == RecordLog(board).body(MEMBERSHIP) == b"member"


@pytest.mark.parametrize("steps", [1, 2, TAIL - 1, TAIL, TAIL + 1])
def test_what_is_counted_after_a_compaction_wins_over_its_snapshot(steps: int) -> None:
    board = MemoryBoard()
    log = RecordLog(board)
    log.append(EXPORT_COUNTER, counter(1000))
    while not board.nvm.erases:
        log.append(MEMBERSHIP, bytes(500))
    for _ in range(steps):
        log.count(EXPORT_COUNTER)
    assert counter_of(RecordLog(board)) == 1000 + steps


def test_after_a_record_that_failed_and_is_valid_all_the_same_nothing_is_counted_in_vain() -> None:
    """Its padding did not arrive: the write is refused, but at the next start this record is the newest."""
    board = MemoryBoard()
    log = RecordLog(board)
    log.append(EXPORT_COUNTER, counter(5))
    board.nvm.stuck.add(log.used + 40)
    with pytest.raises(errors.UnitError, match="STORAGE"):
        log.append(EXPORT_COUNTER, counter(7))
    for _ in range(10):
        log.count(EXPORT_COUNTER)
    assert counter_of(log) == counter_of(RecordLog(board)) == 15


@pytest.mark.parametrize(("offset", "size"), [(48, 12), (48, 60), (96, 24)])
def test_a_record_that_runs_past_the_end_is_stepped_over(offset: int, size: int) -> None:
    """Even if its tag fits what is there; a counter needs its tail as well."""
    end = NVM_SIZE - 32
    body = counter(77).ljust(size, b"\0")[: offset - 24]
    header = struct.pack(">BHIB", EXPORT_COUNTER, size, 99, 0)
    record = header + hashlib.sha256(header + body).digest()[:16] + body
    board = board_with(IMAGE.ljust(end - offset, b"\xff") + record)
    log = RecordLog(board)
    assert counter_of(log) == VECTOR["next_index"]
    assert (log.used, board.nvm.erases) == (log.size if offset == 48 else end - 48, 0)


def test_a_damaged_snapshot_does_no_harm() -> None:
    board = MemoryBoard()
    log = RecordLog(board)
    log.append(MEMBERSHIP, b"member")
    _jump_until_erased(board, log)
    newest = counter_of(log)
    for position in range(200):
        damaged = copy.deepcopy(board)
        assert damaged.snapshots[0] is not None
        damaged.snapshots[0][position] ^= 0xFF
        log = RecordLog(damaged)
        assert (counter_of(log), log.body(MEMBERSHIP)) == (newest, b"member")
        _check_it_goes_on(damaged, log)


def test_after_a_failed_compaction_nothing_is_counted_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    board = MemoryBoard()
    log = RecordLog(board)
    counter = ExportCounter(log, 0)
    while log.used + 112 <= log.size:
        counter.advance_to(counter.next + 2)
    program = board.nvm._program
    monkeypatch.setattr(board.nvm, "_program", lambda offset, data: None)
    with pytest.raises(errors.UnitError, match="STORAGE"):
        counter.advance_to(counter.next + 2)
    monkeypatch.setattr(board.nvm, "_program", program)
    assert board.nvm.erases == 1
    counter.advance_to(counter.next + 1)
    assert counter_of(RecordLog(board)) == counter.next


def _jump_until_erased(board: MemoryBoard, log: RecordLog) -> None:
    value = 0
    while not board.nvm.erases:
        value += 10
        log.append(EXPORT_COUNTER, counter(value))


def _check_it_goes_on(board: MemoryBoard, log: RecordLog) -> None:
    """What is written after the damage is found again; nothing was erased for it."""
    erases, value = board.nvm.erases, counter_of(log)
    log.count(EXPORT_COUNTER)
    log.append(MEMBERSHIP, b"new")
    again = RecordLog(board)
    assert (counter_of(again), again.body(MEMBERSHIP)) == (value + 1, b"new")
    assert board.nvm.erases == erases


def test_compaction_needs_no_new_large_piece_of_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    """After hours a board's heap may have no 4 KB in one piece: a unit would never write again."""
    board = MemoryBoard()
    log = RecordLog(board)
    written: list[object] = []
    read: list[int] = []
    snapshot_write, snapshot_read = board.snapshot_write, board.snapshot_read
    monkeypatch.setattr(board, "snapshot_write", lambda slot, data: (written.append(data), snapshot_write(slot, data)))

    def read_piece(slot: int, offset: int, size: int) -> bytes:
        read.append(size)
        return snapshot_read(slot, offset, size)

    monkeypatch.setattr(board, "snapshot_read", read_piece)
    for value in range(400):
        log.append(EXPORT_COUNTER, bytes(4) + value.to_bytes(8))
    assert len(written) >= 2
    assert all(image is written[0] for image in written)
    assert max(read) <= 256
