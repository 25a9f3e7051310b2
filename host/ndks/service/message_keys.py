# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys of messages, and numbers, from the unit: two requests each, between which the unit does nothing else."""

import contextlib
import secrets
from typing import Any

from ndks_protocol import commands, errors
from ndks_protocol.commands import AES, Command
from ndks_protocol.errors import UnitError

from ..exceptions import ProtocolError
from ..line.link import unpack_answer
from .asking import Asked, Asking, Lost
from .client import Client
from .order import OF_MESSAGES
from .places import Place

_TRIES = 3  # each in another session
_TOKEN_SIZE = _RANDOM_SIZE = 8
_ANY_SIZE = 0  # the key check value of cipher aes is the same for any size


class UnitKeys:
    """Asks the unit for keys of messages."""

    def __init__(self, asking: Asking, sealing: Place, opening: Place) -> None:
        self._asking = asking
        self._sealing = sealing
        self._opening = opening

    async def number(self, client: Client) -> tuple[int, int, int]:
        """Take a number for no message; return its epoch, its lane, and the number, which is noted on the disk."""
        for _ in range(_TRIES):
            begin = _seal_keys(new_token(), commands.DATA, secrets.token_bytes(_RANDOM_SIZE))
            with contextlib.suppress(Lost):
                async with self._sealing.passing(is_urgent=True):
                    _, status = await self._asking.ask_both(
                        client, begin, OF_MESSAGES, lambda _: (commands.STATUS, b""), is_durable=True
                    )
                fields = _fields_of(commands.STATUS, status)
                return fields.epoch, fields.lane, fields.message_counter
        raise UnitError(errors.SESSION_ENDED)

    async def to_seal(self, client: Client, token: bytes, kind: int, random: bytes, order: int) -> tuple[Any, bytes]:
        """Return the answer to SEAL_KEYS of cipher aes, and the check value of the message. UnitError.

        If the session is lost before the check value comes, this token no longer has one: another message begins.
        """
        for _ in range(_TRIES):
            check = _check(token)
            with contextlib.suppress(Lost):
                begin = _seal_keys(token, kind, random)
                async with self._sealing.passing(is_urgent=order == OF_MESSAGES):
                    given, checked = await self._asking.ask_both(client, begin, order, lambda _, asked=check: asked)
                keys = _fields_of(commands.SEAL_KEYS, given)
                if not keys.aes_key:  # of a cipher other than was asked for
                    raise UnitError(errors.INTERNAL)
                return keys, _fields_of(commands.MESSAGE_CHECK, checked).check
            token = new_token()
        raise UnitError(errors.SESSION_ENDED)

    async def to_open(self, client: Client, command: Command, request: bytes) -> tuple[Any, bytes]:
        """Return the answer to OPEN_KEYS with this payload, and the check value of the message. UnitError.

        A message of cipher vernam has no check value yet: then return the answer to `command`, OPEN_KEYS or OPEN_BEGIN,
        and b""; the message proceeds at the unit, and the client keeps the place. The header does not reveal the
        cipher, so all wait for the place; and as others may wait for it, all are in the class of keys of messages.
        """

        def then(answer: bytes) -> Asked | None:
            given = _fields_of(commands.OPEN_KEYS, answer)
            if given.aes_key:
                return _check(given.handle)
            return (commands.OPEN_BEGIN, request) if command is commands.OPEN_BEGIN else None

        for _ in range(_TRIES):
            with contextlib.suppress(Lost):
                async with self._opening.turn(client):
                    begin = commands.OPEN_KEYS, request
                    first, second = await self._asking.ask_both(client, begin, OF_MESSAGES, then)
                    given = _fields_of(commands.OPEN_KEYS, first)
                    if given.aes_key:
                        return given, _fields_of(commands.MESSAGE_CHECK, second).check
                    given = _fields_of(commands.OPEN_BEGIN, second) if second else given
                    self._opening.lend(client, given.handle)
                    return given, b""
        raise UnitError(errors.SESSION_ENDED)


def new_token() -> bytes:
    """Return a token that no message has had."""
    return secrets.token_bytes(_TOKEN_SIZE)


def _seal_keys(token: bytes, kind: int, random: bytes) -> Asked:
    return commands.SEAL_KEYS, commands.SEAL_KEYS.request.pack(token, AES, kind, random)


def _check(message: bytes) -> Asked:
    return commands.MESSAGE_CHECK, commands.MESSAGE_CHECK.request.pack(message, _ANY_SIZE)


def _fields_of(command: Command, payload: bytes) -> Any:
    """Return the fields of an answer from the unit. UnitError INTERNAL: it violates the protocol."""
    try:
        return unpack_answer(command, payload)
    except ProtocolError:
        raise UnitError(errors.INTERNAL) from None
