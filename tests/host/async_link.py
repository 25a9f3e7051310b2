# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Another pump of the conversation that `Link` pumps: with asyncio, for many callers at a time."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

from ndks.exceptions import UnitRemoved
from ndks.line.conversation import START, Answer, Conversation, Dropped, Event
from ndks.line.link import unpack_answer
from ndks_protocol.commands import Command


class AsyncLink(asyncio.Protocol):
    """One host's end of the protocol. `timeout` is the longest wait for one answer, in seconds."""

    def __init__(self, timeout: float) -> None:
        self.conversation = Conversation(timeout, 0)
        self.write: Callable[[bytes], None]
        self._answers: dict[int, asyncio.Future[bytes]] = {}  # by request id
        self._timer: asyncio.TimerHandle | None = None

    async def call(self, command: Command, *values: Any) -> tuple[Any, ...]:
        """Send one request; return the fields of its answer. Whoever is cancelled leaves the session in step."""
        return unpack_answer(command, await self.call_raw(command, *values))

    async def call_raw(self, command: Command, *values: Any) -> bytes:
        loop = asyncio.get_running_loop()
        request_id, data = self.conversation.send(command, command.request.pack(*values), loop.time())
        self._answers[request_id] = loop.create_future()
        self.write(data)
        self._tell([])
        try:
            return await self._answers[request_id]
        finally:
            del self._answers[request_id]
            self.conversation.forget(request_id)

    def data_received(self, data: bytes) -> None:
        self._tell(self.conversation.receive(data))

    def connection_lost(self, exc: Exception | None) -> None:
        for answer in self._answers.values():
            answer.set_exception(UnitRemoved("the unit was removed"))

    def _expire(self) -> None:
        self._tell(self.conversation.expire(asyncio.get_running_loop().time()))

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Dropped) or (answer := self._answers[event.request_id]).done():
                continue
            answer.set_result(event.payload) if isinstance(event, Answer) else answer.set_exception(event.error)
        if self._timer:
            self._timer.cancel()
        if self.conversation.deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(self.conversation.deadline, self._expire)


@contextlib.asynccontextmanager
async def opened(port: str, timeout: float) -> AsyncIterator[AsyncLink]:
    """Open socket://HOST:PORT or the path of a terminal."""
    link, loop = AsyncLink(timeout), asyncio.get_running_loop()
    transports: list[asyncio.BaseTransport] = []
    if port.startswith("socket://"):
        writer, _ = await loop.create_connection(lambda: link, urlsplit(port).hostname, urlsplit(port).port)
    else:
        terminal = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(terminal)
        transports += (await loop.connect_read_pipe(lambda: link, os.fdopen(os.dup(terminal), "rb", 0)))[:1]
        writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(terminal, "wb", 0))
    transports.append(writer)
    link.write = writer.write
    link.write(START)
    try:
        yield link
    finally:
        for transport in transports:
            transport.close()
