# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Who may do what: a socket for each scope, whose file permissions decide who may use it."""

from dataclasses import dataclass

from ndks_protocol import commands, service
from ndks_protocol.commands import MAX_IN_TURN, Command

FOR_PROGRAMS = MAX_IN_TURN + 1  # exported keys from here on are for gateways, which share them out among programs

_OF_ALL = {
    *(commands.HELLO, commands.STATUS, commands.CLOSE, service.WATCH),
    *(commands.SEAL_BEGIN, commands.SEAL_CHUNK, commands.SEAL_KEYS, commands.OPEN_BEGIN, commands.OPEN_CHUNK),
    *(commands.OPEN_KEYS, commands.MESSAGE_STREAM, commands.MESSAGE_CHECK, commands.ACCEPT),
}
_EXPORTED = {commands.NEXT_INDEX, commands.KEY_CHUNK, commands.ACKNOWLEDGE}
NETWORK = {
    *(commands.TICK, commands.CONTROL, commands.NOTICE, commands.HINT, commands.RENEW, commands.ROLE),
}
_MESSAGE_KEYS = {service.TAKE_NUMBER, service.MESSAGE_KEYS, service.OPEN_MESSAGE_KEYS}


@dataclass(frozen=True)
class Scope:
    """What the clients of one socket may ask for; `lowest` and `highest` are numbers of exported keys."""

    name: str
    commands: frozenset[Command]
    lowest: int = 0
    highest: int = (1 << 64) - 1
    clients: int = 64  # at a time
    shares: bool = False  # the unit is used in small steps while it has a client: others are waiting for their keys
    may_unplug: bool = False

    def permits(self, command: Command) -> bool:
        """Return whether a client may send a command at all."""
        return command in self.commands

    def permits_key(self, index: int) -> bool:
        """Return whether a client may ask for the exported key of this index."""
        return self.lowest <= index <= self.highest


SCOPES = {
    scope.name: scope
    for scope in (
        Scope("keys", frozenset(_OF_ALL | _EXPORTED), highest=FOR_PROGRAMS - 1),
        Scope(
            "gate",
            frozenset(_OF_ALL | _MESSAGE_KEYS | {commands.KEY_CHUNK, commands.RENEW}),
            lowest=FOR_PROGRAMS,
            shares=True,
        ),
        Scope(
            "agent", frozenset(_OF_ALL | _MESSAGE_KEYS | NETWORK), clients=1, shares=True
        ),  # ticks of two count double
        Scope(
            "admin",
            frozenset(_OF_ALL | _EXPORTED | _MESSAGE_KEYS | NETWORK | {commands.TRUST, service.RELEASE}),
            may_unplug=True,
        ),
    )
}
