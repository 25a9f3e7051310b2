# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The answer to each request of a client: by the service itself, by the unit, or by several requests to the unit."""

from collections.abc import Callable

from ndks_protocol import commands, errors, service
from ndks_protocol.commands import MAX_CHUNK, Command

from .asking import WAITS, WATCHED, Asking
from .client import Client, Handler, Request
from .message_desk import MessageDesk
from .next_key import NextKey
from .order import OF_KEYS, OF_NETWORK, OF_STREAMS, Outcome
from .scopes import FOR_PROGRAMS, NETWORK

COMMANDS = {
    code: command
    for code, command in {**commands.TABLE, **service.TABLE}.items()
    if command not in (commands.OPEN_SESSION, commands.PROVE, commands.UNLOCK)  # the service opens the sessions
}
_FLAGS_AT = 7  # in an answer to HELLO
_LONGEST_RELEASE = 3600  # seconds
_SMALL = 256  # bytes of a key in one request, while clients wait for keys of messages
_FIRST_CHUNKS = 2 * MAX_CHUNK  # bytes of a key that are not yet a stream

_OF_KEYS = (commands.KEY_CHUNK, commands.ACKNOWLEDGE)  # with an index as their second field


class Desk:
    """Answers requests."""

    def __init__(self, asking: Asking) -> None:
        self.is_shared = False  # whether there are clients that must not wait long for keys of messages
        self._asking = asking
        self._messages = MessageDesk(asking)
        self._next_key = NextKey(asking)
        self._handlers: dict[Command, Handler] = {
            commands.HELLO: self._hello,
            commands.CLOSE: self._close,
            commands.NEXT_INDEX: self._next_key.next_index,
            commands.ACKNOWLEDGE: self._next_key.acknowledge,
            service.WATCH: self._watch,
            service.RELEASE: self._release,
            **self._messages.handlers,
        }

    def request(self, client: Client, kind: int, payload: bytes) -> Request:
        """Return a request that this client may send. UnitError."""
        command = COMMANDS.get(kind)
        if not command:
            raise errors.UnitError(errors.UNKNOWN_COMMAND)
        if not client.scope.permits(command):
            raise errors.UnitError(service.DENIED)
        try:
            values = command.request.unpack(payload)
        except ValueError:
            raise errors.UnitError(errors.BAD_REQUEST) from None
        if command in _OF_KEYS and not client.scope.permits_key(values[1]):
            raise errors.UnitError(service.DENIED)
        return Request(client, command, payload, values)

    def forward(self, request: Request, answered: Callable[[Outcome], object]) -> bool:
        """Ask the unit, if its answer is also the service's; `answered` is called with it. UnitError.

        Return whether the request is one of these; `answer` is for the others.
        """
        if request.command in self._handlers or self._is_cut(request):
            return False
        if request.command is commands.KEY_CHUNK:
            self._next_key.note_reading(request.client, request.values[1])
        self._asking.forward(request.client, request.command, request.payload, _class_of(request), answered)
        return True

    async def answer(self, request: Request) -> bytes:
        """Return the payload of the answer to a request. UnitError."""
        return await self._handlers.get(request.command, self._cut)(request)

    def leave(self, client: Client) -> None:
        """End what a client has begun."""
        self._messages.leave(client)
        self._next_key.leave(client)

    def unplugged(self) -> None:
        """End the messages in progress at the unit."""
        self._messages.unplugged()

    async def _hello(self, request: Request) -> bytes:
        self.leave(request.client)
        await self._asking.wait_until(lambda state, _: bool(state.hello), WAITS)
        hello = bytearray(self._asking.state.hello)
        if not hello:
            raise errors.UnitError(service.NO_UNIT)
        hello[_FLAGS_AT] |= service.HELD
        return bytes(hello)

    async def _close(self, request: Request) -> bytes:
        (unplug,) = request.values
        errors.check_flag(unplug)
        self.leave(request.client)
        if not unplug:
            return b""
        if not request.client.scope.may_unplug:
            raise errors.UnitError(service.DENIED)
        return await self._ask(request)

    async def _release(self, request: Request) -> bytes:
        (seconds,) = request.values
        if seconds > _LONGEST_RELEASE:
            raise errors.UnitError(errors.RANGE)
        return await self._ask(request)

    async def _watch(self, request: Request) -> bytes:
        (known,) = request.values
        client = request.client
        client.watches = mine = client.watches + 1
        self._asking.wake()  # the one before is answered: a client that gave it up has room for four requests again
        await self._asking.wait_until(lambda _, serial: serial != known or client.watches != mine, WATCHED)
        state = self._asking.state
        age = min(self._asking.clock() - state.heard, service.NO_BEACON)
        network = state.epoch, state.revoked, state.role, int(age)
        return service.WATCH.answer.pack(self._asking.serial, state.present, *network)

    def _is_cut(self, request: Request) -> bool:
        """Return whether a piece of a key is cut: there are clients that must not wait for all of it."""
        return self.is_shared and request.command is commands.KEY_CHUNK and _SMALL < request.values[3] <= MAX_CHUNK

    async def _cut(self, request: Request) -> bytes:
        epoch, index, offset, size = request.values
        pieces: list[bytes] = []
        for start in range(0, size, _SMALL):
            self._next_key.note_reading(request.client, index)
            piece = request.command.request.pack(epoch, index, offset + start, min(_SMALL, size - start))
            pieces.append(await self._asking.ask(request.client, request.command, piece, _class_of(request)))
        return b"".join(pieces)

    async def _ask(self, request: Request) -> bytes:
        return await self._asking.ask(request.client, request.command, request.payload, OF_STREAMS)


def _class_of(request: Request) -> int:
    """Return the class of a request that the unit answers (module `order`)."""
    if request.command in NETWORK:
        return OF_NETWORK
    if request.command is not commands.KEY_CHUNK:
        return OF_KEYS if request.command is commands.STATUS else OF_STREAMS
    _, index, offset, _ = request.values
    return OF_STREAMS if index < FOR_PROGRAMS and offset >= _FIRST_CHUNKS else OF_KEYS
