# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The power goes at every step of every flash operation: afterwards the old state is there, or the new one."""

import copy
import itertools
import struct
from collections.abc import Callable, Iterator

import pytest

from firmware.exchange import ask
from firmware.member import membership
from firmware.memory_board import MemoryBoard
from ndks_protocol import commands
from ndks_unit.record_log import RecordLog
from ndks_unit.records import EXPORT_COUNTER, MEMBERSHIP, STATE_FORMAT
from ndks_unit.unit import Unit

JUMP_RECORD = 112  # bytes that a jump of the counter costs


def acknowledge(board: MemoryBoard, unit: Unit, index: int) -> None:
    ask(board, unit, commands.ACKNOWLEDGE, 0, index, 0)


def counter(value: int) -> bytes:
    """The body of an EXPORT_COUNTER."""
    return struct.pack(">IQ", 0, value)


def next_index(board: MemoryBoard) -> int:
    return ask(board, Unit(board), commands.NEXT_INDEX)[1]


def member(compactions: int = 0, full: bool = False) -> MemoryBoard:
    """A member's board after some compactions; `full`: the next jump makes another one."""
    board = MemoryBoard()
    unit = Unit(board)
    ask(board, unit, commands.PROVISION, *membership())
    acknowledge(board, unit, 1)
    while board.nvm.erases < compactions or (full and unit.log.used + JUMP_RECORD <= unit.log.size):
        acknowledge(board, unit, unit.counter.next + 1)
    return board


def cut_everywhere(
    board: MemoryBoard, operation: Callable[[MemoryBoard], object], every: int = 1
) -> Iterator[MemoryBoard]:
    """Boards after the operation was cut, each at a later step than the one before; at last, one after its end."""
    for steps in itertools.count(step=every):
        cut = copy.deepcopy(board)
        ended = cut.survives(steps, lambda cut=cut: operation(cut))
        yield cut
        if ended:
            return


def test_provisioning() -> None:
    def provision(board: MemoryBoard) -> None:
        ask(board, Unit(board), commands.PROVISION, *membership())

    boards = list(cut_everywhere(MemoryBoard(), provision))
    assert len(boards) > 200
    members = [Unit(board).member is not None for board in boards]
    assert members == sorted(members), "once a member, always a member"
    assert (members[0], members[-1]) == (False, True)
    for board, is_member in zip(boards, members, strict=True):
        if not is_member:
            provision(board)
        assert next_index(board) == 1


SITUATIONS = {
    "a step": (member, 1),
    "a jump": (member, 3),
    "into the first snapshot": (lambda: member(full=True), 2),
    "into the second snapshot": (lambda: member(1, full=True), 2),
    "over the first snapshot": (lambda: member(2, full=True), 2),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_acknowledging(situation: str) -> None:
    make, jump = SITUATIONS[situation]
    board = make()
    old = next_index(board)
    new = old + jump

    def operation(board: MemoryBoard) -> None:
        acknowledge(board, Unit(board), new - 1)

    boards = list(cut_everywhere(board, operation))
    found = [next_index(board) for board in boards]
    assert set(found) == {old, new}
    assert found == sorted(found)
    for board in boards[::4]:
        operation(board)
        assert next_index(board) == new
        assert board.nvm.erases <= 4, "a cut costs no more than the compaction once again"
    for board, index in zip(boards[1::4], found[1::4], strict=True):
        acknowledge(board, Unit(board), index)
        assert next_index(board) == index + 1


def test_a_second_cut_during_the_repetition() -> None:
    board = member(1, full=True)
    old = next_index(board)

    def operation(board: MemoryBoard) -> None:
        acknowledge(board, Unit(board), old + 1)

    for once in cut_everywhere(board, operation, every=53):
        for twice in cut_everywhere(once, operation, every=13):
            assert next_index(twice) in (old, old + 2)
            operation(twice)
            assert next_index(twice) == old + 2


def test_a_begun_step_burns_its_index_rather_than_giving_it_twice() -> None:
    board = member()
    old = next_index(board)
    assert not board.survives(1, lambda: acknowledge(board, Unit(board), old))
    assert board.nvm.content.count(0x0F) > 0, "half of the bits are programmed"
    assert next_index(board) == old + 1


NVM_LOST = {
    "half erased": lambda nvm: nvm.body(STATE_FORMAT) is None and nvm.used > 3000,
    "erased": lambda nvm: nvm.body(STATE_FORMAT) is None and nvm.used == 0,
    "half programmed": lambda nvm: nvm.body(STATE_FORMAT) is not None and nvm.body(MEMBERSHIP) is None,
}


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("state", NVM_LOST)
def test_a_snapshot_that_is_the_only_copy_is_not_overwritten(state: str, full: bool) -> None:
    """Cut 1 leaves the membership in one snapshot alone; cuts 2 and 3 tear what is written to snapshots after it.

    `full`: the log has filled up before either. Otherwise they come at once, as from a plug that bounces.
    """
    board = _cut_when(member(2, full=True), lambda board: NVM_LOST[state](_nvm_alone(board)))
    if full:
        _fill(board)
    cuts = cut_everywhere(board, _jump, every=3)
    board = next((cut for cut in cuts if len(_snapshots_with_member(cut)) == 1), board)
    if full:
        _fill(board)
    for cut in cut_everywhere(board, _jump, every=3):
        assert Unit(cut).member


def test_what_a_torn_snapshot_was_written_over_is_not_counted() -> None:
    board = MemoryBoard()
    log = RecordLog(board)
    log.append(MEMBERSHIP, bytes(70))
    value = _jump_while(log, 0, lambda: board.nvm.erases < 1)
    log.append(MEMBERSHIP, b"")
    value = _jump_while(log, value, lambda: board.nvm.erases < 2)
    value = _jump_while(log, value, lambda: log.used + JUMP_RECORD <= log.size)

    def operation(board: MemoryBoard) -> None:
        RecordLog(board).append(EXPORT_COUNTER, counter(value + 1))

    found = {RecordLog(cut).body(EXPORT_COUNTER) for cut in cut_everywhere(board, operation)}
    assert found == {counter(value), counter(value + 1)}


def test_mending_a_damaged_record_puts_nothing_else_at_risk() -> None:
    """A snapshot has a copy of it; the newest counter lies in nvm alone, which must not be erased for it."""
    board = member(1)
    for index in range(next_index(board), next_index(board) + 5):
        acknowledge(board, Unit(board), index)
    expected = next_index(board)
    membership_at = board.nvm.content.index(b"test")
    board.nvm.content[membership_at] ^= 1
    boards = list(cut_everywhere(board, Unit))
    assert {next_index(cut) for cut in boards} == {expected}
    assert all(Unit(cut).member for cut in boards)
    assert {cut.nvm.erases for cut in boards} == {board.nvm.erases}, "damage is no reason to erase"


def test_a_record_alone_in_a_snapshot_is_kept_by_complete_compactions() -> None:
    board = MemoryBoard()
    log = RecordLog(board)
    log.append(MEMBERSHIP, b"member")
    for value in range(10, 2000, 10):
        if value % 500 == 0:  # nvm is lost, as after a cut between erasing and programming
            log.append(EXPORT_COUNTER, counter(value))
            log._compact()
            board.nvm.content[:] = b"\xff" * 4096
            log = RecordLog(board)
        log.append(EXPORT_COUNTER, counter(value))
    assert RecordLog(board).body(MEMBERSHIP) == b"member"


def _jump(board: MemoryBoard) -> None:
    unit = Unit(board)
    acknowledge(board, unit, unit.counter.next + 1)


def _fill(board: MemoryBoard) -> None:
    unit = Unit(board)
    while unit.log.used + JUMP_RECORD <= unit.log.size:
        acknowledge(board, unit, unit.counter.next + 1)


def _jump_while(log: RecordLog, value: int, condition: Callable[[], bool]) -> int:
    while condition():
        value += 1
        log.append(EXPORT_COUNTER, counter(value))
    return value


def _cut_when(board: MemoryBoard, reached: Callable[[MemoryBoard], bool]) -> MemoryBoard:
    """Jump once, and cut the power as soon as this is reached."""
    return next(cut for cut in cut_everywhere(board, _jump) if reached(cut))


def _nvm_alone(board: MemoryBoard) -> RecordLog:
    alone = copy.deepcopy(board)
    alone.snapshots = [None, None]
    return RecordLog(alone)


def _snapshots_with_member(board: MemoryBoard) -> list[int]:
    found: list[int] = []
    for slot, snapshot in enumerate(board.snapshots):
        alone = MemoryBoard()
        alone.snapshots[0] = snapshot
        if RecordLog(alone).body(MEMBERSHIP):
            found.append(slot)
    return found
