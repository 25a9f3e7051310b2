# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack on a locked unit without its laptop: all requests in the clear, and guessed proofs."""

import secrets
from collections.abc import Callable, Mapping

from ndks.crypto import EphemeralKey
from ndks.exceptions import DeviceError
from ndks.line.link import Link
from ndks_protocol import commands
from ndks_protocol.session import PROOF_SIZE, RANDOM_SIZE

from .strangers import begin_session
from .system import Refusal, StolenUnit

_GUESSES: dict[str, Callable[[bytes], bytes]] = {
    "zeros": lambda _: bytes(PROOF_SIZE),
    "the unit's own proof": lambda unit_proof: unit_proof,
    "random bytes": lambda _: secrets.token_bytes(PROOF_SIZE),
}
_ANYBODYS = (commands.HELLO, commands.STATUS)
_PROOFS = (commands.OPEN_SESSION, commands.PROVE)  # the guesses are made of these
# Sent last: success changes the unit
_HARMFUL = (
    *(commands.TRUST, commands.UNLOCK, commands.BIND),
    *(commands.JOINING_KEY, commands.PROVISION, commands.PROVISION_SEALED),
)
_FILL = {"index": 1, "size": 16, "last": 1, "lane": 65535, "digits": 3}  # fields of requests; all others are 0
_TEXT = "1"


class LockedUnit(StolenUnit):
    """A stolen unit on a link without a session; `header` is that of an intercepted capsule to it."""

    guesses = tuple(_GUESSES)

    def __init__(self, link: Link, header: bytes) -> None:
        self._link = link
        self._header = header
        locked = [each for each in commands.TABLE.values() if each.needs and each not in (*_PROOFS, *_HARMFUL)]
        self._commands = {command.name: command for command in (*locked, *_HARMFUL)}
        self.requests = tuple(self._commands)

    def public(self) -> Mapping[str, bytes]:
        return {command.name: self._link.call_raw(command) for command in _ANYBODYS}

    def ask(self, request: str) -> bytes:
        command = self._commands[request]
        try:
            return self._link.call_raw(command, *self._values(command))
        except DeviceError as error:
            raise Refusal(error.code) from None

    def guess(self, how: str) -> None:
        try:
            *_, unit_proof = begin_session(self._link, EphemeralKey().public, secrets.token_bytes(RANDOM_SIZE))
            self._link.call(commands.PROVE, _GUESSES[how](unit_proof))
        except DeviceError as error:
            raise Refusal(error.code) from None

    def _values(self, command: commands.Command) -> list[int | str | bytes]:
        fields = zip(command.request.names, command.request.kinds, strict=True)
        return [self._value(name, kind) for name, kind in fields]

    def _value(self, name: str, kind: str) -> int | str | bytes:
        if name == "header":
            return self._header
        if kind.startswith("u"):
            return _FILL.get(name, 0)
        return _TEXT if kind == "text" else bytes(16 if kind == "rest" else int(kind[1:]))
