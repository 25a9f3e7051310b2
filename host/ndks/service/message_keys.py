# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys of messages, and numbers, from the unit: a few requests each, for which a client has the place."""

import contextlib
import secrets
from typing import Any

from ndks_protocol import commands, errors
from ndks_protocol.commands import AES, Command
from ndks_protocol.errors import UnitError

from ..exceptions import ProtocolError
from ..line.link import unpack_answer
from .asking import Asking
from .client import Client
from .order import OF_MESSAGES
from .places import Place

_TRIES = 3  # to get the keys of a message, each in another session
_TOKEN_SIZE = _RANDOM_SIZE = 8


class _Lost(Exception):
    """The session ended before all answers had come."""


class UnitKeys:
    """Asks the unit for keys of messages. The key check value of cipher aes is the same for any size."""

    def __init__(self, asking: Asking, sealing: Place, opening: Place) -> None:
        self._asking = asking
        self._sealing = sealing
        self._opening = opening

    async def number(self, client: Client) -> tuple[int, int, int]:
        """Take a number for no message; return its epoch, its lane, and the number, which is noted on the disk."""
        request = (secrets.token_bytes(_TOKEN_SIZE), AES, commands.DATA, secrets.token_bytes(_RANDOM_SIZE))
        for _ in range(_TRIES):
            with contextlib.suppress(_Lost):
                async with self._sealing.turn(client):
                    await self._ask(client, commands.SEAL_KEYS, request, OF_MESSAGES)
                    status = await self._asking.ask(client, commands.STATUS, b"", OF_MESSAGES, is_durable=True)
                fields = _fields_of(commands.STATUS, status)
                return fields.epoch, fields.lane, fields.message_counter
        raise UnitError(errors.SESSION_ENDED)

    async def to_seal(self, client: Client, request: tuple[Any, ...], order: int) -> tuple[Any, bytes]:
        """Return the answer to SEAL_KEYS of cipher aes with these fields, and the check value of the message.

        If the session is lost, there is no check value for this token any more: another message begins.
        """
        token, *others = request
        for _ in range(_TRIES):
            with contextlib.suppress(_Lost):
                async with self._sealing.turn(client):
                    given = await self._ask(client, commands.SEAL_KEYS, (token, *others), order)
                    return given, await self._check(client, token, order)
            token = secrets.token_bytes(_TOKEN_SIZE)
        raise UnitError(errors.SESSION_ENDED)

    async def to_open(
        self, client: Client, command: Command, request: tuple[Any, ...], order: int
    ) -> tuple[Any, bytes]:
        """Return the answer to OPEN_KEYS with these fields, and the check value of the message.

        A message of cipher vernam has no check value yet: then return the answer to `command`, OPEN_KEYS or OPEN_BEGIN,
        and b""; the message goes on at the unit, and the client keeps the place.
        """
        for _ in range(_TRIES):
            with contextlib.suppress(_Lost):
                async with self._opening.turn(client):
                    given = await self._ask(client, commands.OPEN_KEYS, request, order)
                    if given.aes_key:
                        return given, await self._check(client, given.handle, order)
                    if command is not commands.OPEN_KEYS:
                        given = await self._ask(client, command, request, order)
                    self._opening.lend(client, given.handle)
                    return given, b""
        raise UnitError(errors.SESSION_ENDED)

    async def _check(self, client: Client, message: bytes, order: int) -> bytes:
        try:
            return (await self._ask(client, commands.MESSAGE_CHECK, (message, 0), order)).check
        except UnitError as error:
            if error.code == errors.CONFLICT:
                raise _Lost from None
            raise

    async def _ask(self, client: Client, command: Command, request: tuple[Any, ...], order: int) -> Any:
        try:
            return _fields_of(command, await self._asking.ask(client, command, command.request.pack(*request), order))
        except UnitError as error:
            if error.code == errors.SESSION_ENDED:
                raise _Lost from None
            raise


def _fields_of(command: Command, payload: bytes) -> Any:
    """Return the fields of an answer of the unit. UnitError INTERNAL: it violates the protocol."""
    try:
        return unpack_answer(command, payload)
    except ProtocolError:
        raise UnitError(errors.INTERNAL) from None
