# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests about capsules: messages of cipher vernam proceed at the unit, in a place; those of cipher aes, here."""

from typing import Any

from ndks_protocol import commands, errors, service
from ndks_protocol.commands import AES, Command
from ndks_protocol.errors import UnitError

from .asking import Asking
from .client import Client, Handler, Request
from .kept import AesKeys, Kept, Opened, Sealed
from .message_keys import UnitKeys, new_token
from .order import OF_MESSAGES, OF_STREAMS
from .places import Place


class MessageDesk:
    """Answers the requests about capsules."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._sealing = Place()
        self._opening = Place()
        self._unit = UnitKeys(asking, self._sealing, self._opening)
        self.handlers: dict[Command, Handler] = {
            commands.SEAL_BEGIN: self._begin_sealing,
            commands.SEAL_KEYS: self._begin_sealing,
            commands.SEAL_CHUNK: self._seal_chunk,
            commands.OPEN_BEGIN: self._begin_opening,
            commands.OPEN_KEYS: self._begin_opening,
            commands.OPEN_CHUNK: self._open_chunk,
            commands.MESSAGE_STREAM: self._message_stream,
            commands.MESSAGE_CHECK: self._message_check,
            service.TAKE_NUMBER: self._take_number,
            service.MESSAGE_KEYS: self._message_keys,
            service.OPEN_MESSAGE_KEYS: self._open_message_keys,
        }

    def leave(self, client: Client) -> None:
        """End the messages of a client."""
        client.messages.forget()
        self._sealing.leave(client)
        self._opening.leave(client)

    def unplugged(self) -> None:
        """End the messages in progress at the unit."""
        self._sealing.leave()
        self._opening.leave()

    # Numbers and keys for programs

    async def _take_number(self, request: Request) -> bytes:
        return service.TAKE_NUMBER.answer.pack(*await self._unit.number(request.client))

    async def _message_keys(self, request: Request) -> bytes:
        token, random = request.values
        if known := _known(request, token):
            return known.answer
        given, check = await self._unit.to_seal(request.client, token, commands.DATA, random, OF_MESSAGES)
        fields = (given.header, given.tag_key, given.sync, given.aes_key, check)
        return _keep(request, token, Kept(service.MESSAGE_KEYS.answer.pack(*fields), _keys(given, check)))

    async def _open_message_keys(self, request: Request) -> bytes:
        given, check = await self._unit.to_open(request.client, commands.OPEN_KEYS, request.payload)
        if not check:
            self._opening.leave(request.client)
            raise UnitError(errors.RANGE)
        fields = (given.lane, given.number, given.tag_key, given.sync, given.aes_key, check)
        return service.OPEN_MESSAGE_KEYS.answer.pack(*fields)

    # Messages that are sealed

    async def _begin_sealing(self, request: Request) -> bytes:
        token, cipher, kind, random = request.values
        if known := _known(request, token):
            return known.answer
        if cipher != AES:
            async with self._sealing.turn(request.client):
                answer = await self._ask(request, OF_MESSAGES)
                self._sealing.lend(request.client, token)
            return answer
        if request.command is commands.SEAL_BEGIN:  # with a token of ours: the client's can never begin it once more
            given, check = await self._unit.to_seal(request.client, new_token(), kind, random, OF_STREAMS)
            answer = commands.SEAL_BEGIN.answer.pack(given.header, given.epoch)
            return _keep(request, token, Sealed(answer, _keys(given, check)))
        given, check = await self._unit.to_seal(request.client, token, kind, random, OF_STREAMS)
        return _keep(request, token, Kept(commands.SEAL_KEYS.answer.pack(*given), _keys(given, check)))

    async def _seal_chunk(self, request: Request) -> bytes:
        token, number, last, data = request.values
        kept = request.client.messages.get(token)
        if isinstance(kept, Sealed):
            return kept.seal(number, last, bytes(data))
        return await self._go_on(self._sealing, request, is_end=bool(last))

    # Messages that are opened

    async def _begin_opening(self, request: Request) -> bytes:
        given, check = await self._unit.to_open(request.client, request.command, request.payload)
        if not check:
            return request.command.answer.pack(*given)
        if request.command is commands.OPEN_KEYS:
            return _keep(request, given.handle, Kept(commands.OPEN_KEYS.answer.pack(*given), _keys(given, check)))
        fields = given.handle, given.lane, given.number, AES, given.kind, given.epoch
        answer = commands.OPEN_BEGIN.answer.pack(*fields)
        return _keep(request, given.handle, Opened(answer, _keys(given, check)))

    async def _open_chunk(self, request: Request) -> bytes:
        handle, number, last, chunk = request.values
        kept = request.client.messages.get(handle)
        if isinstance(kept, Opened):
            return kept.open(number, last, bytes(chunk))
        return await self._go_on(self._opening, request, is_end=bool(last))

    # Messages of either kind

    async def _message_stream(self, request: Request) -> bytes:
        return await self._go_on(self._place_of(request), request)

    async def _message_check(self, request: Request) -> bytes:
        message, size = request.values
        if kept := request.client.messages.get(message):
            return kept.check(size)
        return await self._go_on(self._place_of(request), request, is_end=True)

    # Messages in progress at the unit

    def _place_of(self, request: Request) -> Place:
        message, *_ = request.values
        return self._sealing if self._sealing.lent_to(request.client, message) else self._opening

    async def _go_on(self, place: Place, request: Request, *, is_end: bool = False) -> bytes:
        """Continue a message at the unit. UnitError CONFLICT, also if it is another client's."""
        message, *_ = request.values
        with place.going_on(request.client, message, is_end=is_end):
            return await self._ask(request)

    async def _ask(self, request: Request, order: int = OF_STREAMS) -> bytes:
        return await self._asking.ask(request.client, request.command, request.payload, order)


def _keys(given: Any, check: bytes) -> AesKeys:
    return AesKeys(given.tag_key, given.sync, given.aes_key, check)


def _known(request: Request, message: bytes) -> Kept | None:
    """Return the message that an equal request began. UnitError CONFLICT: another request had its token."""
    known = request.client.messages.get(message)
    return _same(request, known) if known else None


def _same(request: Request, known: Kept) -> Kept:
    if known.begun != (request.command, request.payload):
        raise UnitError(errors.CONFLICT)
    return known


def _keep(request: Request, message: bytes, kept: Kept) -> bytes:
    if known := request.client.messages.get(message):  # this token began one while the unit was working
        kept.wipe()
        return _same(request, known).answer
    kept.begun = request.command, request.payload
    request.client.messages.keep(message, kept)
    return kept.answer
