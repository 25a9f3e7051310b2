# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The power goes at every step of flash while numbers are reserved, given back, or a capsule is accepted.

Afterwards no number is given twice, and what was answered is true.
"""

import copy
from collections.abc import Callable

import pytest

from firmware.peer import Peer, PluggableBoard, capsule, clear, wire
from ndks_protocol import commands, errors
from ndks_protocol.commands import AES
from ndks_unit.records import STATE_FORMAT

SENDER, OTHER, STRANGER = 2, 3, 4
LANES = (SENDER, OTHER)
SEALED = capsule(SENDER, 12)
RECORD = {"seal": 48, "accept": 64, "unplug": 48}  # bytes of flash that it costs
EXPORTED = 9


class Witness:
    """What hosts know for certain: only what was answered."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.accepted = False

    def seal(self, peer: Peer) -> None:
        self.given.append(clear(peer.begin(cipher=AES)).number)

    def accept(self, peer: Peer) -> None:
        peer.accept(SEALED)
        self.accepted = True

    def unplug(self, peer: Peer) -> None:
        peer.ask(commands.CLOSE, 1)

    def live(self, peer: Peer) -> None:
        """All of it, after a start."""
        peer.restart()
        self.seal(peer)
        self.accept(peer)
        self.seal(peer)
        self.unplug(peer)


Operation = Callable[[Witness, Peer], None]
OPERATIONS: dict[str, Operation] = {"seal": Witness.seal, "accept": Witness.accept, "unplug": Witness.unplug}


class Cut:
    """A unit's flash when the power went, and what was known then."""

    def __init__(self, board: PluggableBoard, witness: Witness) -> None:
        self._nvm = bytes(board.nvm.content)
        self._snapshots = [bytes(snapshot or b"") for snapshot in board.snapshots]
        self.given = list(witness.given)
        self.accepted = witness.accepted

    def board(self) -> PluggableBoard:
        board = PluggableBoard()
        board.nvm.content[:] = self._nvm
        board.snapshots = [bytearray(snapshot) for snapshot in self._snapshots]
        return board

    def peer(self) -> Peer:
        """The unit that starts with this flash, which may write at once."""
        return Peer(board=self.board())

    def witness(self) -> Witness:
        witness = Witness()
        witness.given, witness.accepted = list(self.given), self.accepted
        return witness

    def check(self) -> None:
        peer = self.peer()
        assert peer.unit.member
        assert peer.unit.member.lane == 1
        assert peer.ask(commands.NEXT_INDEX) == (0, EXPORTED + 1)
        found = peer.code(commands.OPEN_BEGIN, SEALED[:37], 0)
        assert found in ((errors.DUPLICATE,) if self.accepted else (0, errors.DUPLICATE))
        _check_other_windows(peer)
        number = peer.number()
        assert number not in self.given
        assert 0 < number - max(self.given) <= 1 + 2 * 64, "as much as a block, and the one being reserved, is burnt"

    def check_it_goes_on(self) -> None:
        """Everything works after it, once and for good."""
        peer, witness = self.peer(), self.witness()
        for _ in range(2):
            witness.live(peer)
        assert len(set(witness.given)) == len(witness.given)
        peer.restart()
        assert peer.open_code(SEALED) == errors.DUPLICATE
        _check_other_windows(peer)
        assert peer.ask(commands.NEXT_INDEX) == (0, EXPORTED + 1)


def cuts(peer: Peer, witness: Witness, operation: Operation) -> list[Cut]:
    """Let it happen once, and return what a power cut before each of its steps would leave; at last, its end."""
    found: list[Cut] = []
    peer.board.power.step = lambda: found.append(Cut(peer.board, witness))  # type: ignore[method-assign]
    operation(witness, peer)
    return [*found, Cut(peer.board, witness)]


def witnessed(operation: str, compactions: int = -1) -> tuple[Peer, Witness]:
    """A unit with messages sealed and accepted. The operation will be its so many-th that compacts, -1: it does not."""
    peer, witness = Peer(), Witness()
    for lane in LANES:
        for number in (7, 9, 11):
            peer.accept(wire(lane, number))
    peer.ask(commands.ACKNOWLEDGE, 0, EXPORTED, 0)
    witness.seal(peer)
    if operation == "seal":
        _use_up(peer, witness)
    log = peer.unit.log
    while peer.board.nvm.erases < compactions or (compactions >= 0 and log.used + RECORD[operation] <= log.size):
        log.append(STATE_FORMAT, bytes((log.format,)))  # the shortest record: it leaves no room for another
    peer.ask(commands.HELLO)
    return peer, witness


situations = pytest.mark.parametrize(
    "compactions", [-1, 0, 2], ids=["no compaction", "into the first snapshot", "over the first snapshot"]
)


@situations
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_cut_at_every_step(operation: str, compactions: int) -> None:
    peer, witness = witnessed(operation, compactions)
    erases = peer.board.nvm.erases
    found = cuts(peer, witness, OPERATIONS[operation])
    assert peer.board.nvm.erases - erases == (compactions >= 0), "it is the situation that was meant"
    assert len(found) > (500 if compactions >= 0 else 40)
    for cut in found:
        cut.check()
    for cut in found[::40]:
        cut.check_it_goes_on()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_second_cut_while_starting_and_going_on(operation: str) -> None:
    once = cuts(*witnessed(operation, 1), OPERATIONS[operation])
    for first in once[::101]:
        twice = cuts(first.peer(), first.witness(), Witness.live)
        for second in twice[::31]:
            second.check()
        twice[len(twice) // 2].check_it_goes_on()


def test_a_new_sender_is_known_or_not() -> None:
    """A window's first record, which compaction adds to those of the others."""
    peer, witness = witnessed("accept", 0)

    def accept(witness: Witness, peer: Peer) -> None:
        peer.accept(wire(STRANGER, 5))

    codes: list[int] = []
    found = cuts(peer, witness, accept)
    for cut in (*found[::3], found[-1]):
        peer = cut.peer()
        codes.append(peer.code(commands.OPEN_BEGIN, wire(STRANGER, 5), 0))
        assert peer.code(commands.OPEN_BEGIN, wire(STRANGER, 4), 0) == 0
        _check_other_windows(peer)
    assert codes == sorted(codes)
    assert set(codes) == {0, errors.DUPLICATE}


def test_cuts_are_those_that_the_board_makes() -> None:
    """The flash that `cuts` collects in one run is that of a board whose power does go."""
    peer, witness = witnessed("accept", 0)
    peer.restart()
    boards = [copy.deepcopy(peer.board) for _ in range(0, 1000, 77)]
    found = cuts(peer, witness, Witness.accept)
    for board, steps in zip(boards, range(0, 1000, 77), strict=True):
        ended = board.survives(steps, lambda board=board: Peer(board=board).accept(SEALED))
        cut = found[min(steps, len(found) - 1)].board()
        assert ended == (steps >= len(found) - 1)
        assert (board.nvm.content, board.snapshots) == (cut.nvm.content, cut.snapshots)


def _use_up(peer: Peer, witness: Witness) -> None:
    """Seal until the next number needs to be reserved."""
    numbers = peer.unit.messages.own_numbers
    while numbers._next != numbers._end:
        witness.seal(peer)


def _check_other_windows(peer: Peer) -> None:
    for lane in LANES:
        for number, code in ((9, errors.DUPLICATE), (10, 0), (11, errors.DUPLICATE)):
            assert peer.code(commands.OPEN_BEGIN, wire(lane, number), 0) == code
    assert peer.code(commands.OPEN_BEGIN, wire(OTHER, 12), 0) == 0
