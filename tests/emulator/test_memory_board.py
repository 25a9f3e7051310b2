# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The board in memory: what others cut the power of, a hundred thousand times."""

import copy

import pytest

from ndks_emulator import MemoryBoard, PowerCut
from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_SIZE

STATE = b"state" * 100


def flash_of(board: MemoryBoard) -> list[bytes]:
    return [bytes(sector.content) for sector in (board.nvm, *board.snapshots) if sector]


def write_everywhere(board: MemoryBoard) -> None:
    board.nvm_write(100, STATE)
    board.snapshot_write(0, STATE)
    board.nvm_write(100, STATE)
    board.snapshot_write(1, STATE)


def test_new_board_is_blank() -> None:
    board = MemoryBoard(b"12345678")
    assert board.uid == b"12345678"
    assert board.nvm_read(0, NVM_SIZE) == b"\xff" * NVM_SIZE
    assert [board.snapshot_read(slot, 0, SNAPSHOT_SIZE + 1) for slot in (0, 1)] == [b"\xff" * SNAPSHOT_SIZE] * 2
    assert board.snapshots_writable
    assert (board.case_open, board.reset_reason, board.ticks_ms()) == (False, 0, 0)


def test_bytes_pass() -> None:
    board = MemoryBoard()
    board.inbound = bytes(300)
    assert (len(board.read()), len(board.read()), board.read()) == (256, 44, b"")
    assert board.write(b"answer")
    assert board.outbound == b"answer"
    board.is_connected = False
    assert not board.connected
    assert not board.write(b"to nobody")
    assert board.outbound == b"answer"


def test_snapshot_may_be_missing_or_read_only() -> None:
    board = MemoryBoard()
    board.snapshots[1] = None
    assert not board.snapshots_writable
    with pytest.raises(OSError):  # noqa: PT011 (whichever)
        board.snapshot_read(1, 0, 1)
    with pytest.raises(OSError):  # noqa: PT011
        board.snapshot_write(1, STATE)
    board = MemoryBoard()
    board.drive_is_writable = False
    assert not board.snapshots_writable
    with pytest.raises(OSError, match="read-only"):
        board.snapshot_write(0, STATE)


def test_case_is_latched_until_the_next_start() -> None:
    board = MemoryBoard()
    board.case_open = True
    board.case_open = False
    assert board.case_open
    board.start()
    assert not board.case_open
    board.case_open = True
    board.start()
    assert board.case_open
    board.case_open = False
    assert board.case_open
    assert board.clone().case_open is False, "a clone starts anew"


def test_clock_is_set_and_wraps() -> None:
    board = MemoryBoard()
    board.clock = (1 << 29) + 5
    assert board.ticks_ms() == 5


def test_start_says_why() -> None:
    board = MemoryBoard()
    board.inbound = b"lost"
    board.start(2)
    assert (board.reset_reason, board.inbound) == (2, b"")


@pytest.mark.parametrize("duplicate", [MemoryBoard.clone, copy.deepcopy])
def test_clone_shares_nothing(duplicate) -> None:
    board = MemoryBoard()
    write_everywhere(board)
    before = flash_of(board)
    clone = duplicate(board)
    clone.nvm_write(0, b"more")
    clone.snapshot_write(0, b"more")
    clone.power.cut()
    clone.case.open()
    clone.clock = 7
    assert flash_of(board) == before
    assert (board.power.on, board.case_open, board.clock) == (True, False, 0)


def test_clone_of_a_board_without_power_has_it() -> None:
    board = MemoryBoard(fine=True)
    board.snapshots[0] = None
    board.power.cut()
    clone = board.clone()
    assert (clone.power.on, clone.power.fine, clone.snapshots[0]) == (True, True, None)


@pytest.mark.parametrize("fine", [False, True])
def test_cut_everywhere_ends_with_what_was_wanted(fine: bool) -> None:
    board = MemoryBoard(fine=fine)
    cuts = list(board.cut_everywhere(write_everywhere, every=50 if fine else 1))
    write_everywhere(board)
    assert len(cuts) == (board.power.steps // 50 + 2 if fine else board.power.steps + 2)
    assert len({tuple(flash_of(cut)) for cut in cuts}) > 20
    assert flash_of(cuts[-1]) == flash_of(board)
    assert all(cut.power.on for cut in cuts)


def test_what_was_sent_before_the_cut_stays() -> None:
    board = MemoryBoard()

    def operation() -> None:
        board.write(b"sent")
        write_everywhere(board)
        board.write(b"not sent")

    assert not board.survives(3, operation)
    assert board.outbound == b"sent"
    assert board.survives(1000, operation)
    assert board.power.steps_left is None


def test_without_power_the_line_is_dead_as_well() -> None:
    board = MemoryBoard()
    board.power.cut()
    for operation in (board.read, lambda: board.write(b"x"), lambda: board.connected, board.feed_watchdog):
        with pytest.raises(PowerCut):
            operation()
