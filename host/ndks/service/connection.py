# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The connection of one client: frames in, answers out, and backpressure.

Strategy: at most REQUESTS of a client's requests are taken; until one is answered, its socket is not read. Nor is it
read while the client does not read its answers. So each client has bounded memory, and a slow one delays nobody.
"""

import asyncio
import functools
import logging
import socket
import struct
from collections.abc import Callable
from typing import Any, cast

from ndks_protocol import errors, framing, service
from ndks_protocol.errors import UnitError

from .client import Client, Request
from .desk import Desk
from .order import Outcome
from .scopes import Scope

_log = logging.getLogger(__name__)

REQUESTS = 4  # of a client that are taken but not answered
_BUFFER = 4096
_UNREAD = 16 * 1024  # bytes of answers that a client may leave unread before its requests wait


class Connection(asyncio.BufferedProtocol):
    """A client at a scope's socket. `ended` is called when it has left."""

    def __init__(self, scope: Scope, desk: Desk, ended: Callable[["Connection"], object]) -> None:
        self._scope = scope
        self._desk = desk
        self._ended = ended
        self._buffer = bytearray(_BUFFER)
        self._start = self._end = 0  # received bytes that are not decoded yet
        self._decoder = framing.Decoder()
        self._taken = 0  # requests that have no answer yet
        self._tasks: set[asyncio.Task[None]] = set()  # for requests that take more than one question to the unit
        self._is_taking = False
        self._is_paused = False  # whether the socket is not read
        self._is_read = True  # whether the client reads its answers
        self._is_made = self._is_ending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_UNREAD)
        self._is_made = True
        if self._is_ending:
            self._transport.close()
        self.client = Client(self._scope, f"{self._scope.name}, {_peer(transport)}")
        _log.info("connected: %s", self.client.name)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        for task in self._tasks:
            task.cancel()
        self._desk.leave(self.client)
        _log.info("disconnected: %s", self.client.name)
        self._ended(self)

    @property
    def is_idle(self) -> bool:
        """Whether all requests taken are answered."""
        return not self._taken

    def end(self) -> None:
        """Take no further requests."""
        self._is_ending = True

    def close(self) -> None:
        """Close the connection, once it is made."""
        self._is_ending = True
        if self._is_made:
            self._transport.close()

    def abort(self) -> None:
        """Close the connection without the answers that the client has not read."""
        if self._is_made:
            self._transport.abort()

    def pause_writing(self) -> None:
        self._is_read = False

    def resume_writing(self) -> None:
        self._is_read = True
        self._take()

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 (asyncio names it)
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._start, self._end = 0, nbytes
        self._take()

    def _take(self) -> None:
        """Take requests from what was received, and read on once all of it is taken."""
        if self._is_ending or self._transport.is_closing():
            return
        self._is_taking = True
        while self._start < self._end and self._taken < REQUESTS and self._is_read:
            self._start = self._decoder.take(self._buffer, self._start, self._end)
            event = self._decoder.event
            if isinstance(event, framing.Frame):
                self._begin(event.kind, event.request_id, bytes(event.payload))
        self._is_taking = False
        self._pace()

    def _pace(self) -> None:
        """Read as long as all that was received is taken."""
        is_paused = self._start < self._end
        if is_paused != self._is_paused:
            self._is_paused = is_paused
            self._transport.pause_reading() if is_paused else self._transport.resume_reading()

    def _begin(self, kind: int, request_id: int, payload: bytes) -> None:
        self._taken += 1
        answered = functools.partial(self._answered, kind, request_id)
        try:
            request = self._desk.request(self.client, kind, payload)
            if self._desk.forward(request, answered):
                return
        except UnitError as error:
            answered(error.code)
            return
        task = asyncio.get_running_loop().create_task(self._answer(request, answered))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request, answered: Callable[[Outcome], object]) -> None:
        try:
            answered(await self._desk.answer(request))
        except UnitError as error:
            answered(error.code)
        except Exception:
            _log.exception("a request of %s failed", self.client.name)
            answered(errors.INTERNAL)

    def _answered(self, kind: int, request_id: int, outcome: Outcome) -> None:
        """Send an answer, and take the next request."""
        if self._transport.is_closing():
            return
        self._taken -= 1
        if isinstance(outcome, int):
            self._transport.write(framing.encode(framing.ERROR, request_id, _code(outcome)))
        else:
            self._transport.write(framing.encode(kind | framing.ANSWER, request_id, outcome))
        if not self._is_taking:
            self._take()


class Refused(asyncio.Protocol):
    """A client for which a scope has no room: its first request is BUSY, if it comes within `patience` seconds."""

    def __init__(self, scope: Scope, patience: float, ended: Callable[["Refused"], object]) -> None:
        self._scope = scope
        self._patience = patience
        self._ended = ended
        self._decoder = framing.Decoder()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._timer = asyncio.get_running_loop().call_later(self._patience, self._transport.abort)
        _log.info(
            "refused, because %d clients are here: %s, %s", self._scope.clients, self._scope.name, _peer(transport)
        )

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        self._timer.cancel()
        self._ended(self)

    def data_received(self, data: bytes) -> None:
        for event in self._decoder.feed(data):
            if isinstance(event, framing.Frame):
                self._transport.write(framing.encode(framing.ERROR, event.request_id, _code(service.BUSY)))
                self._transport.close()
                return


def _code(number: int) -> bytes:
    return struct.pack(">H", number)


def _peer(transport: asyncio.BaseTransport) -> str:
    """Return who has connected, as the kernel says."""
    connection: Any = transport.get_extra_info("socket")
    form = "3i"  # process, user and group
    process, user, _ = struct.unpack(
        form, connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(form))
    )
    return f"process {process} of user {user}"
