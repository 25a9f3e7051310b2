# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units whose power is cut at any step of flash: what their hosts know, and the state that they find afterwards."""

import struct
from collections.abc import Callable
from typing import NamedTuple, Self

from hosts.network import BINDING, SECRET
from support.pieces import pieces

from ndks.crypto import CRYPTO
from ndks_emulator import MemoryFlash, MemoryUnit
from ndks_protocol import commands
from ndks_protocol.binding import BindingKeys
from ndks_protocol.flash import NVM_SIZE
from ndks_unit.dispatcher import Dispatcher
from ndks_unit.flash.records import SEALED, WRONG_ATTEMPTS

from .peer import RANDOM, clear, new_token, wire
from .powered import Powered

OTHER = bytes(range(100, 132))  # bindings to other laptops
THIRD = bytes(range(150, 182))
BINDINGS = (BINDING, OTHER, THIRD)
SENDERS = (2, 3)
NUMBERS_A_BLOCK = 64  # what a crash burns at most


class View(NamedTuple):
    """The state that a unit shows to the owner of its binding, except numbers that may be lost."""

    state: int
    binding: bytes = b""  # the only one that opens it
    wrong_attempts: int = 0
    next_index: int = 0
    sealed: tuple[bytes, ...] = ()


class Life(Powered):
    """A unit, and what its hosts know for certain, which is only what the unit has answered."""

    def __init__(self, unit: MemoryUnit | None = None) -> None:
        super().__init__(unit)
        self.ask = self.host.ask
        self.given: list[int] = []  # numbers of messages
        self.burnt_blocks = 0

    @property
    def firmware(self) -> Dispatcher:
        return self.unit.firmware

    @property
    def flash(self) -> MemoryFlash:
        assert isinstance(self.unit.flash, MemoryFlash)
        return self.unit.flash

    def clone(self) -> Self:
        copy = super().clone()
        copy.given, copy.burnt_blocks = list(self.given), self.burnt_blocks
        return copy

    def survives(self, steps: int, operation: "Operation") -> None:
        super().survives(steps, operation)
        self.burnt_blocks += 1

    def open(self) -> bytes:
        """Start, and open a session under the binding that the unit can prove; return that binding."""
        self.start()
        return self.open_again()

    def open_again(self) -> bytes:
        binding = self.host.find(BINDINGS)
        self.host.prove()
        self.host.unlock()
        return binding

    def acknowledge(self, index: int) -> None:
        self.ask(commands.ACKNOWLEDGE, 0, index, 0)

    def seal(self) -> None:
        header, _ = self.ask(commands.SEAL_BEGIN, new_token(), commands.AES, 0, RANDOM)
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
        """Return the state of the unit. This uses a clone, because reading the state writes to flash."""
        life = self.clone()
        life.start()
        status = life.host.status()
        if not life.firmware.state.binding:
            return View(status["state"])
        binding = life.open_again()
        epoch, index = life.ask(commands.NEXT_INDEX)
        assert epoch == 0
        assert isinstance(index, int)
        sealed = tuple(bytes(life.firmware.state.log.body(kind) or b"") for kind in SEALED)
        life.seal()
        return View(status["state"], binding, status["wrong_attempts"], index, sealed)

    def live(self) -> None:
        """Check that every operation works, and that its effect is permanent."""
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


# Units to begin with


def member(compactions: int = 0, left: int = NVM_SIZE, *, fine: bool = True) -> Life:
    """Return a member that has used all commands, with fewer than `left` free bytes in its log."""
    life = Life()
    life.start()
    life.host.provision()
    life.open()
    life.ask(commands.TRUST, SENDERS[0], bytes(range(16)))
    for lane in SENDERS:
        for number in (7, 9, 11):
            life.accept(lane, number)
    life.acknowledge(9)
    life.acknowledge(10)
    life.seal()
    for _ in range(compactions):
        life.firmware.state.log.compact()
    while life.firmware.state.log.size - life.firmware.state.log.used >= left:
        life.firmware.state.log.append(WRONG_ATTEMPTS, bytes(4))
    life.unit.power.fine = fine
    life.burnt_blocks = 1
    return life.clone()


# What must not be there


def secrets_of(flash: MemoryFlash) -> set[bytes]:
    """Return what an erasure must remove completely, in pieces of 8 bytes: keys, and the contents of records."""
    found = pieces(SECRET)
    for binding in BINDINGS:
        keys = BindingKeys(CRYPTO, binding)
        found |= pieces(binding) | pieces(keys.auth) | pieces(keys.kek)
    for image in flash.images:
        for offset in range(0, NVM_SIZE - 32, 16):
            found |= pieces(image[offset : offset + 16])
    return {piece for piece in found if len(set(piece)) > 3}  # blank and padding are no secret


def remains(flash: MemoryFlash, secrets: set[bytes]) -> set[bytes]:
    """Return those of the pieces that are still in flash."""
    return {piece for image in flash.images for piece in secrets & pieces(image)}
