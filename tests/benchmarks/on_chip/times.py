# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Times of requests in a session, in milliseconds if nothing else is said."""

from collections.abc import Callable
from statistics import mean, median
from typing import TypeVar

from ndks_protocol import commands
from ndks_protocol.capsule import CHUNK
from ndks_protocol.commands import AES, VERNAM

from .chip_unit import ChipUnit
from .figures import Figures, costs, medians
from .host import Host
from .member import Member

_T = TypeVar("_T")

_SESSIONS = 5
_CHUNKS = {AES: 12, VERNAM: 4}
_SETTLED = 1.5  # seconds, after which a unit has nothing left to write
_UNTIL_IDLE = 0.031  # seconds without a request, after which a unit works for itself
_PHASE = 0.0003
_PHASES = 60  # of the work that a request interrupts
_WITH_TABLES = 3  # up to this d, bits come from tables, and faster


def starts(member: Member) -> Figures:
    """Seconds from power-on to the answer to HELLO: of a new board, and of this unit as its flash is now."""
    member.unit.pause(_SETTLED)
    later = Host(ChipUnit(bytearray(member.unit.flash), member.unit.symbols))
    return {"first start": member.host.start_seconds, "later start": later.start_seconds}


def session(member: Member) -> Figures:
    """Open sessions after a pause each; HELLO, OPEN_SESSION, PROVE, UNLOCK by their names."""
    member.host.costs.clear()
    _in_sessions(member, lambda: None)
    return medians({name: [cost.ms for cost in each] for name, each in member.host.costs.items()})


def handshakes(member: Member) -> Figures:
    """OPEN_SESSION, PROVE and UNLOCK together, with a key pair ready and without."""
    found = {"with a pair": [_handshake(member, _SETTLED) for _ in range(_SESSIONS)]}
    return medians(found | {"without a pair": [_handshake(member, 0) for _ in range(_SESSIONS)]})


def _handshake(member: Member, pause: float) -> float:
    member.host.costs.clear()
    member.host.renew_session(pause)
    return sum(cost.ms for name in ("OPEN_SESSION", "PROVE", "UNLOCK") for cost in member.host.costs[name])


def waits(member: Member) -> Figures:
    """How much longer HELLO takes at most while a key pair is made: it may have to wait for a step."""
    usual = [_hello(member, _SETTLED) for _ in range(_SESSIONS)]
    member.host.renew_session()
    member.host.call(commands.CLOSE, 0)
    member.host.end_session()
    making = [_hello(member, _UNTIL_IDLE + step * _PHASE) for step in range(_PHASES)]
    return {"wait": max(making) - median(usual)}


def _hello(member: Member, pause: float) -> float:
    member.unit.pause(pause)
    before = member.unit.cost
    member.host.hello()
    return (member.unit.cost - before).ms


def keys(member: Member) -> Figures:
    """Short keys: NEXT_INDEX to ACKNOWLEDGE for 256 bits, and the first KEY_CHUNK of a new key.

    Only symbols show the garbage collections: without them, there are no figures that tell them apart.
    """
    whole = costs(member, 40, member.next_key)
    figures = {"next key, mean": mean(cost.ms for cost in whole)}
    if not member.unit.symbols:
        return figures
    first = costs(member, 15, lambda: member.new_key(32))
    return figures | medians(
        {
            "first bits": [cost.ms - cost.collecting_ms for cost in first],
            "next key": [cost.ms - cost.collecting_ms for cost in whole],
            "next key, collecting": [cost.ms for cost in whole if cost.collections],
        }
    )


def rare(member: Member) -> Figures:
    """TRUST, a request that hardly ever comes: a unit may have to load its handler."""
    return medians({"TRUST": [cost.ms for cost in costs(member, 9, member.trust)]})


def bits(member: Member) -> Figures:
    """Microseconds a bit of long keys, garbage collections included."""
    chunks = 8 if member.host.network.digits <= _WITH_TABLES else 4
    spent = _in_sessions(member, lambda: member.key_stream(chunks).ms)
    return {"bit": mean(spent) * 1000 / (chunks * commands.MAX_CHUNK * 8)}


def modes(member: Member) -> Figures:
    """Thousands of bytes a second, in mode b, garbage collections included."""
    return {name: _speed(member, cipher) for cipher, name in enumerate(commands.CIPHERS)}


def _speed(member: Member, cipher: int) -> float:
    chunks = _CHUNKS[cipher]
    return chunks * CHUNK / mean(_in_sessions(member, lambda: member.seal_stream(cipher, chunks).ms))


def _in_sessions(member: Member, operation: Callable[[], _T]) -> list[_T]:
    """Do the same in several sessions: where objects lie in the heap differs, and so does what collecting takes."""
    found: list[_T] = []
    for _ in range(_SESSIONS):
        member.host.renew_session()
        found.append(operation())
    return found
