# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units whose power goes at any step of flash: what their hosts know, and what they find afterwards.

All cuts are tried with NDKS_TEST_FULL=1; else some, a prime number of steps apart.
"""

import hashlib
import math
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ndks.crypto import CRYPTO
from ndks_protocol import commands
from ndks_protocol.binding import BindingKeys
from ndks_protocol.flash import NVM_SIZE
from ndks_protocol.session import proof, transcript
from ndks_unit.dispatcher import Dispatcher
from ndks_unit.flash.records import BODY, SEALED, WRONG_ATTEMPTS, RecordKeys, plausible

from . import exchange
from .cut_summary import FULL
from .exchange import ask
from .member import BINDING, SECRET, membership, named
from .memory_board import MemoryBoard
from .peer import RANDOM, clear, new_token, wire

OTHER = bytes(range(100, 132))  # bindings to other laptops
THIRD = bytes(range(150, 182))
BINDINGS = (BINDING, OTHER, THIRD)
SENDERS = (2, 3)
NUMBERS_A_BLOCK = 64  # what a crash burns at most
_LONG_MS = 100_000  # no delay after wrong proofs is longer
_HOST_RANDOM = b"random of a host"


class View(NamedTuple):
    """What a unit shows to those it opens for, but for numbers that may be burnt."""

    state: int
    binding: bytes = b""  # the only one that opens it
    wrong_attempts: int = 0
    next_index: int = 0
    sealed: tuple[bytes, ...] = ()


class SteadyBoard(MemoryBoard):
    """A board whose random bytes are the same in each run: steps of flash depend on what is written."""

    drawn = 0

    def entropy(self, size: int) -> bytes:
        self.drawn += 1
        return hashlib.shake_256(self.drawn.to_bytes(4)).digest(size)


class Life:
    """A unit, and what its hosts know for certain: only what was answered."""

    def __init__(self, board: MemoryBoard | None = None) -> None:
        self.board = board or SteadyBoard(b"unit\1\2\3\4")
        self.given: list[int] = []  # numbers of messages
        self.burnt_blocks = 0
        self.ended = True  # the last command was answered

    def clone(self) -> "Life":
        copy = type(self)(self.board.clone())
        copy.given, copy.burnt_blocks = list(self.given), self.burnt_blocks
        return copy

    def start(self) -> None:
        """Start, with as much power as there is left."""
        left = self.board.power.steps_left
        self.board.start()
        self.board.power.steps_left = left
        self.unit = Dispatcher(self.board)
        self.board.clock += _LONG_MS

    def open(self) -> bytes:
        """Start, and open a session under the binding that the unit proves to know; return it."""
        self.start()
        return self.open_again()

    def open_again(self) -> bytes:
        exchange.channels.pop(self.unit, None)
        hello = bytes(exchange.answer(self.board, self.unit, commands.HELLO.code, b"").payload)
        unit_random, unit_proof = ask(self.board, self.unit, commands.OPEN_SESSION, _HOST_RANDOM)
        found = transcript(CRYPTO, hello, _HOST_RANDOM, unit_random)
        (binding,) = [
            binding
            for binding in BINDINGS
            if proof(CRYPTO, BindingKeys(CRYPTO, binding).auth, "unit", found) == unit_proof
        ]
        exchange.open_session(self.board, self.unit, binding)
        return binding

    def ask(self, command: commands.Command, *values: object) -> tuple[object, ...]:
        return ask(self.board, self.unit, command, *values)

    def provision(self) -> None:
        self.ask(commands.PROVISION, *membership())

    def acknowledge(self, index: int) -> None:
        self.ask(commands.ACKNOWLEDGE, 0, index, 0)

    def seal(self) -> None:
        (header,) = self.ask(commands.SEAL_BEGIN, new_token(), commands.AES, 0, RANDOM)
        assert isinstance(header, bytes)
        number = clear(header).number
        burnt = number - max(self.given, default=0) - 1
        assert number not in self.given, "a number was given twice"
        assert 0 <= burnt <= NUMBERS_A_BLOCK * (1 + self.burnt_blocks), "more than was reserved was burnt"
        self.given.append(number)
        self.burnt_blocks = 0

    def accept(self, lane: int, number: int) -> None:
        self.ask(commands.ACCEPT, wire(lane, number), 0)

    def look(self) -> View:
        """See what the unit has come to, on a clone: looking writes."""
        life = self.clone()
        life.start()
        status = named(commands.STATUS.answer, life.ask(commands.STATUS))
        if not life.unit.state.binding:
            return View(status["state"])
        binding = life.open_again()
        epoch, index = life.ask(commands.NEXT_INDEX)
        assert epoch == 0
        assert isinstance(index, int)
        sealed = tuple(bytes(life.unit.state.log.body(kind) or b"") for kind in SEALED)
        life.seal()
        return View(status["state"], binding, status["wrong_attempts"], index, sealed)

    def live(self) -> None:
        """Everything works, once and for good."""
        for lane in SENDERS:
            self.open()
            self.seal()
            _, index = self.ask(commands.NEXT_INDEX)
            assert isinstance(index, int)
            self.acknowledge(index)
            self.accept(lane, 200)
            self.seal()
            self.ask(commands.CLOSE, 1)
            view = self.look()
            assert view.next_index == index + 1
            assert struct.pack(">HQ", lane, 200)[:2] in {body[:2] for body in view.sealed}


Operation = Callable[[Life], None]


class Cutter:
    """Cuts the power, and counts how often it did."""

    def __init__(self) -> None:
        self.tried = 0

    def cuts(self, life: Life, operation: Operation, at_most: int, first: int = 0) -> Iterator[Life]:
        """Lives in which this operation was cut, each at a later step than the one before; in the last, it was not."""
        total = steps_of(life, operation)
        stride = 1 if FULL else _prime_from(math.ceil((total + 1) / at_most))
        for steps in range(first % stride, total + 1, stride):
            cut = life.clone()
            cut.ended = cut.board.survives(steps, lambda cut=cut: operation(cut))
            cut.burnt_blocks += 1
            self.tried += 1
            yield cut
        whole = life.clone()
        operation(whole)
        yield whole

    def check(self, life: Life, operation: Operation, at_most: int, first: int = 0) -> list[Life]:
        """Cut everywhere: each time there is what was before, or what this operation makes, and nothing else."""
        old = life.look()
        cuts = list(self.cuts(life, operation, at_most, first))
        new = cuts[-1].look()
        views = [cut.look() for cut in cuts]
        for cut, view in zip(cuts, views, strict=True):
            assert view in (old, new)
            assert view == new or not cut.ended
        assert sorted(views, key=lambda view: view == new) == views, "once new, always new"
        return cuts

    def check_pairs(self, life: Life, operation: Operation, at_most: int, second: Operation | None = None) -> None:
        """Cut everywhere, and once more while the unit starts again and the operation is repeated."""
        each = max(3, math.isqrt(at_most))
        for position, cut in enumerate(self.cuts(life, operation, max(3, at_most // each))):
            self.check(cut, second or operation, each, first=7 * position)


def steps_of(life: Life, operation: Operation) -> int:
    """How many steps of flash this takes."""
    whole = life.clone()
    operation(whole)
    return whole.board.power.steps


def _prime_from(least: int) -> int:
    if least <= 1:
        return 1
    return next(n for n in range(least, 2 * least + 1) if all(n % d for d in range(2, math.isqrt(n) + 1)))


# Boards to begin with


def member(compactions: int = 0, left: int = NVM_SIZE, *, fine: bool = True) -> Life:
    """A member that has done a little of everything; fewer than `left` bytes of its log are free."""
    life = Life()
    life.start()
    life.provision()
    life.open()
    life.ask(commands.TRUST, SENDERS[0], bytes(range(16)))
    for lane in SENDERS:
        for number in (7, 9, 11):
            life.accept(lane, number)
    life.acknowledge(9)
    life.acknowledge(10)
    life.seal()
    for _ in range(compactions):
        life.unit.state.log.compact()
    while life.unit.state.log.size - life.unit.state.log.used >= left:
        life.unit.state.log.append(WRONG_ATTEMPTS, bytes(4))
    life.board.power.fine = fine
    life.burnt_blocks = 1
    return life.clone()


# What must not be there


def images(board: MemoryBoard) -> list[bytes]:
    """What lies in nvm and files."""
    return [bytes(sector.content) for sector in (board.nvm, *board.snapshots) if sector]


def records_under(board: MemoryBoard, binding: bytes) -> list[int]:
    """The types of all records, new or old, that this binding opens or tags."""
    keys = RecordKeys(CRYPTO)
    keys.set_auth(BindingKeys(CRYPTO, binding).auth)
    keys.set_kek(BindingKeys(CRYPTO, binding).kek)
    found: list[int] = []
    for image in images(board):
        for offset in range(0, NVM_SIZE - BODY, 16):
            header = plausible(image, offset)
            if header and header[0] < 0xF0 and keys.decode(image[offset : offset + BODY + header[1]]) is not None:
                found.append(header[0])
    return found


def pieces(secret: bytes, size: int = 8) -> set[bytes]:
    return {secret[start : start + size] for start in range(len(secret) - size + 1)}


def secrets_of(board: MemoryBoard) -> set[bytes]:
    """All that an erasure must leave nothing of, in pieces of 8 bytes: keys, and whatever lies in a record."""
    found = pieces(SECRET)
    for binding in BINDINGS:
        keys = BindingKeys(CRYPTO, binding)
        found |= pieces(binding) | pieces(keys.auth) | pieces(keys.kek)
    for image in images(board):
        for offset in range(0, NVM_SIZE - 32, 16):
            found |= pieces(image[offset : offset + 16])
    return {piece for piece in found if len(set(piece)) > 3}  # blank and padding are no secret


def remains(board: MemoryBoard, secrets: set[bytes]) -> set[bytes]:
    """Which of these pieces are still in flash."""
    return {piece for image in images(board) for piece in secrets & pieces(image)}
