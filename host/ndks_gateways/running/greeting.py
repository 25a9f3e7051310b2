# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The bytes of a handshake over one TCP connection, before records begin."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ndks.exceptions import NdksError

from ..tunnel.handshake import Established, Handshake
from ..tunnel.steps import Ahead, Behind, Read, Send, Step

PATIENCE = 10.0  # seconds for a whole handshake
_PIECE = 1 << 16  # bytes that room is made for before they arrive

Answer = Callable[[Step], Awaitable[Any]]


class LinkClosed(NdksError):
    """The connection was closed in the middle of a handshake: the other end refuses, or the network did it."""

    code = "LINK_CLOSED"
    exit_status = 6
    usual_advice = "see the status of the other gateway; this one tries again by itself"


class Greeting(asyncio.BufferedProtocol):
    """Reads exactly what a handshake asks for: whatever else arrives stays with the system, and costs no memory."""

    def __init__(self, began: Callable[["Greeting"], object] = lambda _: None) -> None:
        self._began = began
        self._transport: asyncio.Transport | None = None
        self._room = memoryview(b"")
        self._arrived: asyncio.Future[None] | None = None
        self._is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.pause_reading()
        self._began(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        self._room = self._room[nbytes:]
        if not self._room:
            self.transport.pause_reading()
            self._wake()

    def eof_received(self) -> None:
        self._is_lost = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._is_lost = True
        self._wake()

    @property
    def transport(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    @property
    def host(self) -> str:
        """The IP address of the other end, "" if it is gone already."""
        return (self.transport.get_extra_info("peername") or ("",))[0]

    async def read(self, size: int) -> bytes:
        """Return `size` bytes. LinkClosed."""
        read = bytearray()
        while len(read) < size:
            piece = bytearray(min(size - len(read), _PIECE))
            await self._fill(memoryview(piece))
            read += piece
        return bytes(read)

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def abort(self) -> None:
        """Close at once; what was not sent yet is dropped."""
        self.transport.abort()

    def close(self) -> None:
        """Close once all is sent, or after a while."""
        if self.transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(PATIENCE, self.transport.abort)
        self.transport.close()

    async def _fill(self, room: memoryview) -> None:
        self._room = room
        self._arrived = asyncio.get_running_loop().create_future()
        self.transport.resume_reading()
        if not self._is_lost:
            await self._arrived
        if self._room:
            raise LinkClosed("the connection was closed during the handshake")

    def _wake(self) -> None:
        if self._arrived and not self._arrived.done():
            self._arrived.set_result(None)


async def perform(handshake: Handshake, greeting: Greeting, answer: Answer) -> Established:
    """Do the I/O of a handshake; `answer` does the other steps. LinkClosed, HandshakeError, the errors of `answer`."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _perform(handshake, greeting, answer)
    except TimeoutError:
        raise LinkClosed("the other gateway did not answer in time") from None
    finally:
        handshake.close()


async def _perform(handshake: Handshake, greeting: Greeting, answer: Answer) -> Established:
    result: Any = None
    problem: Exception | None = None
    while True:
        try:
            step = handshake.throw(problem) if problem else handshake.send(result)
        except StopIteration as done:
            return done.value
        result = problem = None
        try:
            result = await _done(step, greeting, answer)
        except (Behind, Ahead, NdksError) as error:
            problem = error


async def _done(step: Step, greeting: Greeting, answer: Answer) -> Any:
    if isinstance(step, Read):
        return await greeting.read(step.size)
    if isinstance(step, Send):
        greeting.write(step.data)
        return None
    return await answer(step)
