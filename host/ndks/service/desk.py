# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The answer to each request of a client: by the service itself, by the unit, or by several requests to the unit."""

from ndks_protocol import commands, errors, service
from ndks_protocol.commands import MAX_CHUNK, Command

from .asking import WAITS, WATCHED, Asking
from .client import Client, Handler, Request
from .message_desk import MessageDesk
from .next_key import NextKey
from .order import OF_KEYS, OF_STREAMS
from .scopes import FOR_PROGRAMS

COMMANDS = {
    code: command
    for code, command in {**commands.TABLE, **service.TABLE}.items()
    if command not in (commands.OPEN_SESSION, commands.PROVE, commands.UNLOCK)  # the service opens the sessions
}
FLAGS_AT = 7  # in an answer to HELLO
LONGEST_RELEASE = 3600  # seconds
SMALL = 256  # bytes of a key in one request, while clients wait for keys of messages
FIRST_CHUNKS = 2 * MAX_CHUNK  # bytes of a key that are not yet a stream

_CLASSES = {commands.STATUS: OF_KEYS}


class Desk:
    """Answers requests."""

    def __init__(self, asking: Asking) -> None:
        self.is_shared = False  # whether clients are here that must not wait long for keys of messages
        self._asking = asking
        self._messages = MessageDesk(asking)
        self._next_key = NextKey(asking)
        self._handlers: dict[Command, Handler] = {
            commands.HELLO: self._hello,
            commands.CLOSE: self._close,
            commands.KEY_CHUNK: self._key_chunk,
            commands.NEXT_INDEX: self._next_key.next_index,
            commands.ACKNOWLEDGE: self._acknowledge,
            service.WATCH: self._watch,
            service.RELEASE: self._release,
            **self._messages.handlers,
        }

    async def answer(self, client: Client, kind: int, payload: bytes) -> bytes:
        """Return the payload of the answer to a request. UnitError."""
        command = COMMANDS.get(kind)
        if not command:
            raise errors.UnitError(errors.UNKNOWN_COMMAND)
        if not client.scope.permits(command):
            raise errors.UnitError(service.DENIED)
        try:
            values = command.request.unpack(payload)
        except ValueError:
            raise errors.UnitError(errors.BAD_REQUEST) from None
        return await self._handlers.get(command, self._forward)(Request(client, command, payload, values))

    def leave(self, client: Client) -> None:
        """End what a client has begun."""
        self._messages.leave(client)
        self._next_key.leave(client)

    def unplugged(self) -> None:
        """End the messages that go on at the unit."""
        self._messages.unplugged()

    async def _forward(self, request: Request) -> bytes:
        order = _CLASSES.get(request.command, OF_STREAMS)
        return await self._asking.ask(request.client, request.command, request.payload, order)

    async def _hello(self, request: Request) -> bytes:
        self.leave(request.client)
        await self._asking.wait_until(lambda state, _: bool(state.hello), WAITS)
        hello = bytearray(self._asking.state.hello)
        if not hello:
            raise errors.UnitError(service.NO_UNIT)
        hello[FLAGS_AT] |= service.HELD
        return bytes(hello)

    async def _close(self, request: Request) -> bytes:
        (unplug,) = request.values
        errors.check_flag(unplug)
        self.leave(request.client)
        if not unplug:
            return b""
        if not request.client.scope.may_unplug:
            raise errors.UnitError(service.DENIED)
        return await self._forward(request)

    async def _release(self, request: Request) -> bytes:
        (seconds,) = request.values
        if seconds > LONGEST_RELEASE:
            raise errors.UnitError(errors.RANGE)
        return await self._forward(request)

    async def _watch(self, request: Request) -> bytes:
        (known,) = request.values
        await self._asking.wait_until(lambda _, serial: serial != known, WATCHED)
        state = self._asking.state
        return service.WATCH.answer.pack(self._asking.serial, state.present, state.epoch)

    async def _acknowledge(self, request: Request) -> bytes:
        _, index, _ = request.values
        if not request.client.scope.permits_key(index):
            raise errors.UnitError(service.DENIED)
        return await self._next_key.acknowledge(request)

    async def _key_chunk(self, request: Request) -> bytes:
        epoch, index, offset, size = request.values
        client = request.client
        if not client.scope.permits_key(index):
            raise errors.UnitError(service.DENIED)
        self._next_key.note_reading(client, index)
        order = OF_STREAMS if index < FOR_PROGRAMS and offset >= FIRST_CHUNKS else OF_KEYS
        if not self.is_shared or not SMALL < size <= MAX_CHUNK:
            return await self._asking.ask(client, commands.KEY_CHUNK, request.payload, order)
        pieces: list[bytes] = []
        for start in range(0, size, SMALL):
            piece = commands.KEY_CHUNK.request.pack(epoch, index, offset + start, min(SMALL, size - start))
            pieces.append(await self._asking.ask(client, commands.KEY_CHUNK, piece, order))
        return b"".join(pieces)
