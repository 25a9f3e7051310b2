# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit in a network with generations: times, memory and wear (PROTOCOL.md section 11)."""

import itertools
import os
from statistics import fmean, median

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hosts.administered import beacon, enrolment, message, notice

from ndks.crypto import CRYPTO
from ndks.line.session import open_anonymous_session
from ndks_protocol import commands as c
from ndks_protocol.commands import AGAIN, ALLOW_JUMP, DATA, VERNAM, VOUCHED, WIRE_HEADER_SIZE
from ndks_protocol.control.limits import AHEAD, LONGEST_TICK, MAX_REVOKED, MOVE_PAUSE, MOVES, PAST
from ndks_protocol.sealed_package import seal

from .chip_unit import ChipUnit
from .figures import Figures
from .host import LANE, Host
from .memory import memory, stacks
from .stacks import StackMarks
from .symbols import Symbols

_OTHER = LANE + 1
_FIRST = 1  # generation
_NEXT = 20  # leaves room for generations that a notice brings
_OPENED = 20  # messages: garbage is collected in some of them
_LIFE = 100_000  # erases that flash endures
_RENEWALS_A_YEAR = 24 * 365
_REVOKED = tuple(range(1000, 1000 + MAX_REVOKED))


class Administered:
    """The host of a unit that administrators have enrolled."""

    def __init__(self, host: Host) -> None:
        self.host, self.unit = host, host.unit
        self._numbers = itertools.count(1)
        self._enrol()

    def _enrol(self) -> None:
        host = self.host
        public = bytes(host.call(c.JOINING_KEY).public)
        key = X25519PrivateKey.generate()
        shared = key.exchange(X25519PublicKey.from_public_bytes(public))
        package = seal(CRYPTO, shared, key.public_key().public_bytes_raw(), public, enrolment(LANE, _FIRST))
        open_anonymous_session(host, host.hello())
        host.enter_by(c.ENROL, package)
        host.unit.pause(1.0)
        host.start_session()

    def enter(self, generation: int, revoked: tuple[int, ...] = (), others: tuple[int, ...] = ()) -> float:
        """Return the seconds of NOTICE."""
        return self._ms(c.NOTICE, generation, notice(LANE, generation, revoked, others)) / 1000

    def tick(self, ticks: int) -> tuple[float, bytes]:
        """Return the milliseconds of TICK, and the beacon if there is one."""
        before = self.unit.cost
        answer = self.host.call(c.TICK, ticks)
        taken = (self.unit.cost - before).ms
        self.unit.pause(0.05)  # the unit collects its garbage, as it does between two ticks
        return taken, bytes(answer.capsule)

    def hear(self, epoch: int, term: int) -> float:
        """Return the milliseconds of CONTROL."""
        taken = self._ms(c.CONTROL, beacon(_OTHER, next(self._numbers), epoch, term))
        self.unit.pause(0.05)
        return taken

    def renew(self) -> float:
        """Let the pause between two moves pass; return the milliseconds of RENEW."""
        for _ in range(MOVE_PAUSE // LONGEST_TICK):
            self.tick(LONGEST_TICK)
        return self._ms(c.RENEW)

    def open(self, epoch: int, flags: int = 0) -> float:
        """Return the milliseconds of OPEN_BEGIN and OPEN_CHUNK for a message of this epoch."""
        capsule = message(_OTHER, next(self._numbers), epoch)
        before = self.unit.cost
        handle, *_ = self.host.call(c.OPEN_BEGIN, capsule[:WIRE_HEADER_SIZE], AGAIN | ALLOW_JUMP | flags)
        self.host.call(c.OPEN_CHUNK, handle, 0, 1, capsule[WIRE_HEADER_SIZE:])
        return (self.unit.cost - before).ms

    def seal(self) -> None:
        token = os.urandom(8)
        self.host.call(c.SEAL_BEGIN, token, VERNAM, DATA, os.urandom(8))
        self.host.call(c.SEAL_CHUNK, token, 0, 1, b"Meet me at noon.")

    def status(self) -> int:
        """Return the free memory in bytes."""
        return self.host.call(c.STATUS).free_memory

    def erased(self) -> dict[str, int]:
        return dict(self.unit.erases)

    def _ms(self, command: c.Command, *values: object) -> float:
        before = self.unit.cost
        self.host.call(command, *values)
        return (self.unit.cost - before).ms


def generations(flash: bytes, symbols: Symbols) -> Figures:
    """Return the figures of a unit that enters generations, leads, follows, and opens what is late.

    A unit of protocol 3.0 has none.
    """
    host = Host(ChipUnit(bytearray(flash), symbols))
    if host.hello()[:2] < bytes((3, 1)):
        return {}
    marks = StackMarks(host.unit.chip, symbols)
    unit = Administered(host)
    figures = {"first notice": unit.enter(_FIRST)}
    figures |= {f"{name} with generations": figure for name, figure in memory(unit).items()}
    figures |= _beacons(unit)
    figures |= _renewals(unit)
    figures |= _largest(unit)
    figures |= {f"{name} with the largest records": figure for name, figure in memory(unit).items()}
    host.renew_session()
    figures |= {f"{name}, network": figure for name, figure in stacks(marks).items()}
    return figures | {"restarts": host.unit.chip.resets}


def _beacons(unit: Administered) -> Figures:
    quiet = [unit.tick(1)[0] for _ in range(9)]
    followed = [unit.hear(_FIRST << 16, 1) for _ in range(9)]
    unit.renew()
    beacons = [taken for taken, capsule in (unit.tick(8) for _ in range(9)) if capsule]
    figures = {"quiet tick": quiet, "CONTROL": followed, "beacon": beacons}
    return {name: median(each) for name, each in figures.items()} | {
        "present epoch": fmean(unit.open(_FIRST << 16 | 1) for _ in range(_OPENED)),
        "late epoch": unit.open(_FIRST << 16),
        "same late": fmean(unit.open(_FIRST << 16) for _ in range(_OPENED)),
    }


def _renewals(unit: Administered) -> Figures:
    """Renew until each renewal gives up an epoch, and then some more."""
    for _ in range(MOVES + 1):
        unit.renew()
    before, sectors, count = unit.erased(), unit.unit.erased_sectors.copy(), 10
    times = [unit.renew() for _ in range(count)]
    after = unit.erased()
    figures = {f"renewal, {where}": (after[where] - before.get(where, 0)) / count for where in after}
    most = max((unit.unit.erased_sectors - sectors).values()) / count
    return figures | {"renewal": median(times) / 1000, "years": _LIFE / most / _RENEWALS_A_YEAR}


def _largest(unit: Administered) -> Figures:
    """Enter a generation with as many revoked lanes and other generations as a notice may have; open late messages."""
    before = unit.erased()
    notice_s = unit.enter(_NEXT, _REVOKED, tuple(range(_NEXT - PAST, _NEXT)))
    after = unit.erased()
    figures = {f"generation, {where}": after[where] - before.get(where, 0) for where in after}
    unit.seal()
    ratchet_s = unit.open(_NEXT << 16 | AHEAD) / 1000
    unit.open(_NEXT - 1 << 16, VOUCHED)
    return figures | {"largest notice": notice_s, "ratchet": ratchet_s}
