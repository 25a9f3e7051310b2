# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Verbs of a unit in a network with generations and roles, for `ndks agent` (PROTOCOL.md section 11)."""

from dataclasses import dataclass, field

from ndks_protocol import commands

from . import capsules
from .answers import Status
from .opened import OpenUnit, step

_ANY_NUMBER = commands.AGAIN | commands.ALLOW_JUMP  # an agent's store is the account of what was delivered


@dataclass(frozen=True, slots=True)
class Ticked:
    """The answer to TICK: `revoked` lanes, term and lane of the master, and a beacon to send, or b""."""

    role: int
    epoch: int
    revoked: int
    term: int
    master: int
    beacon: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened message of kind 0, 2 or 3."""

    kind: int
    epoch: int
    lane: int
    number: int
    data: bytes = field(repr=False)
    check: bytes = b""  # the key check value of a message of kind 3


class NetworkVerbs(OpenUnit):
    """The commands of generations, epochs and roles, and messages of any kind."""

    @step
    def tick(self, ticks: int) -> Ticked:
        """Report that `ticks` ticks (of a second) have passed, 16 at most; with 0 only ask. DeviceError NO_EPOCH."""
        answer = self._link.call(commands.TICK, ticks)
        if answer.capsule:
            self._owner.note_sealed()
        return Ticked(answer.role, answer.epoch, answer.revoked, answer.term, answer.master, bytes(answer.capsule))

    @step
    def control(self, capsule: bytes) -> int:
        """Hand over a beacon; return commands.HEARD, MOVED or LOWER_RANK. DeviceError as OPEN_BEGIN, STALE."""
        return self._link.call(commands.CONTROL, capsule).event

    @step
    def notice(self, generation: int, capsule: bytes) -> int:
        """Enter a generation by the notice for this unit; return the epoch. DeviceError STALE, ROSTER, RANGE."""
        return self._link.call(commands.NOTICE, generation, capsule).epoch

    @step
    def hint(self, generation: int) -> bytes:
        """Return the hint of this unit's notice of a later generation. DeviceError STALE, NO_EPOCH."""
        return bytes(self._link.call(commands.HINT, generation).hint)

    @step
    def renew(self) -> int:
        """Begin the next epoch as master; return it. DeviceError DELAYED, RANGE at the last one, NO_EPOCH."""
        return self._link.call(commands.RENEW).epoch

    @step
    def set_role(self, mode: int) -> None:
        """Set how the unit takes part in elections: commands.ELECTED, RELAY or MONITOR. DeviceError NO_EPOCH."""
        self._link.call(commands.ROLE, mode)

    @step
    def seal_kind(self, kind: int, data: bytes) -> capsules.Sealed:
        """Seal bytes as a message of this kind, with the cipher of the network."""
        sealed = capsules.seal_at_once(self._link, data, self._cipher(), kind)
        self._owner.note_sealed()
        return sealed

    @step
    def open_kind(self, capsule: bytes, *, vouched: bool = False) -> Opened:
        """Open a message of any kind but control, whatever was accepted; accept nothing. DeviceError as `decrypt`."""
        flags = _ANY_NUMBER | (commands.VOUCHED if vouched else 0)
        opening, data, check = capsules.open_at_once(self._link, capsule, flags)
        return Opened(opening.kind, opening.epoch, opening.lane, opening.number, data, check)

    def _cipher(self) -> str:
        return self.unlock().cipher


class NetworkUnit:
    """A unit as an agent needs it."""

    def __init__(self, unit: NetworkVerbs) -> None:
        self._unit = unit
        self.tick = unit.tick
        self.control = unit.control
        self.notice = unit.notice
        self.hint = unit.hint
        self.renew = unit.renew
        self.set_role = unit.set_role
        self.seal = unit.seal_kind
        self.open = unit.open_kind

    @property
    def lane(self) -> int:
        """The lane of the unit."""
        return self._status().lane

    @property
    def own_number(self) -> int:
        """The last number of its lane that it has given or lost."""
        return self._status().message_counter

    @property
    def epoch(self) -> int | None:
        """Its epoch; None before its first notice."""
        status = self._status()
        return status.epoch if int(status.network_id, 16) else None

    def held(self) -> tuple[int, ...]:
        """Return the generations whose capsules it opens, the highest first."""
        return tuple(self._status().generations)

    def _status(self) -> Status:
        return self._unit.unlock()
