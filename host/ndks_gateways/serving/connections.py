# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Listening with TLS: connections are bounded, and certificates can be replaced while the server runs."""

import asyncio
import functools
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import web

from ndks.exceptions import UsageError, reason

from .config_readers import Address

_BACKLOG = 1024
_PAUSE = 0.1  # seconds until the next try, when the system has no file left for a connection
_LINGER = 2.0  # seconds in which the rest of a refused body is read and thrown away, or the client's farewell awaited
# aiohttp would log whatever is not HTTP, as often as a client sends it. Bugs are logged by the handler.
_SILENT = logging.Logger("aiohttp", logging.CRITICAL)
_SPARE = 16  # places for handshakes, also where clients have all of the others
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Listener:
    """Connections of clients at one address, at most so many, each closed when `idle` seconds bring no request.

    A handshake may take `patience` seconds, and a client may take as long to read an answer; `failed` is told why a
    handshake failed. Where there is no room, a new connection takes the place of the one whose handshake has taken
    longest; after its own, it takes one of the client that has most. `name_of` says whose a connection is.
    """

    def __init__(
        self,
        handler: Handler,
        most: int,
        idle: float,
        patience: float,
        failed: Callable[[OSError], object],
        name_of: Callable[[asyncio.BaseTransport], str] = lambda _: "",
    ) -> None:
        # Bodies are not decompressed: a small one could become a large one.
        self._http = web.Server(
            self._answer,
            access_log=None,
            logger=_SILENT,
            keepalive_timeout=idle,
            lingering_time=_LINGER,
            auto_decompress=False,
        )
        self._handler = handler
        self._most = most
        self._patience = patience
        self._failed = failed
        self._name_of = name_of
        self._context: ssl.SSLContext | None = None
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._greeted: dict[asyncio.Task[None], None] = {}  # handshakes, in the order in which they began
        self._whose: dict[web.RequestHandler, str] = {}  # those without a request for longest come first
        self._answering: set[web.RequestHandler] = set()
        self.turned_away = 0

    @property
    def count(self) -> int:
        """Connections that are open, without those whose handshake is not over."""
        return len(self._http.connections)

    @property
    def address(self) -> Address:
        """Where clients connect; the port is there even if the system has chosen it."""
        assert self._socket
        return Address(*self._socket.getsockname()[:2])

    async def open(self, address: Address, context: ssl.SSLContext | None) -> None:
        """Take the address, and serve, with TLS if there is a context. UsageError: it is not free."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
            self._socket = _bound(found[0][0], found[0][4])
        except OSError as error:
            raise UsageError(f"cannot listen at {address}: {reason(error)}", "name another address") from None
        self.renew(context)
        self._accepting = asyncio.create_task(self._accept(self._socket))

    def renew(self, context: ssl.SSLContext | None) -> None:
        """Serve new connections with this context, and close all others: those with a request once it is answered.

        A client whose certificate is no longer good gets nothing more; any other client connects again.
        """
        self._context = context
        for task in self._greeted:
            task.cancel()
        for connection in self._http.connections:
            if connection not in self._answering:
                connection.force_close()

    async def close(self, patience: float = 2.0) -> None:
        """Take no more connections, let requests end, and close all connections. `patience` in seconds."""
        tasks = [*self._greeted, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket:
            self._socket.close()
        self._http.pre_shutdown()
        await self._http.shutdown(patience)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        context, connection = self._context, request.protocol
        self._answering.add(connection)
        try:
            response = await self._handler(request)
            await self._send(request, response)
        finally:
            self._answering.discard(connection)
            if connection in self._whose:
                self._whose[connection] = self._whose.pop(connection)
        if self._context is not context:
            connection.close()
        return response

    async def _send(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Send an answer: aiohttp would wait without end for a client that does not read it."""
        timer = asyncio.get_running_loop().call_later(self._patience, _cut_off, request)
        try:
            await response.prepare(request)
            await response.write_eof()
        finally:
            timer.cancel()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError:  # there are too many files, or the client has gone
                await asyncio.sleep(_PAUSE)
                continue
            self._make_room()
            task = asyncio.create_task(self._greet(connection))
            self._greeted[task] = None
            task.add_done_callback(functools.partial(self._is_over, connection))

    def _make_room(self) -> None:
        """End the handshake that has taken longest, if there is no place for another one."""
        if len(self._greeted) < max(self._most - self.count, _SPARE):
            return
        self.turned_away += 1
        slowest = next(iter(self._greeted))
        del self._greeted[slowest]  # now: more may come before its task has ended
        slowest.cancel()

    async def _greet(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        times = {"ssl_handshake_timeout": self._patience, "ssl_shutdown_timeout": _LINGER} if self._context else {}
        try:
            transport, handler = await loop.connect_accepted_socket(self._http, connection, ssl=self._context, **times)
        except OSError as error:
            self._failed(error)
            return
        self._whose[handler] = self._name_of(transport)
        if len(self._whose) > min(self._most, 2 * self.count):  # not for each one: with many, that takes milliseconds
            there = {*self._http.connections}
            self._whose = {each: name for each, name in self._whose.items() if each in there}
        if len(self._whose) > self._most:
            self._cut_off_one()

    def _cut_off_one(self) -> None:
        """Cut off a connection of the client that has most: the one idle for longest; if none is, the latest."""
        self.turned_away += 1
        ((most, _),) = Counter(self._whose.values()).most_common(1)
        theirs = [each for each, name in self._whose.items() if name == most]
        left = next((each for each in theirs if each not in self._answering), theirs[-1])
        del self._whose[left]
        if left.transport:
            left.transport.abort()  # as it may read nothing

    def _is_over(self, connection: socket.socket, task: "asyncio.Task[None]") -> None:
        self._greeted.pop(task, None)
        if task.cancelled():  # perhaps before asyncio had the connection
            connection.close()
        else:
            task.result()


def _cut_off(request: web.BaseRequest) -> None:
    if request.transport:
        request.transport.abort()


def _bound(family: int, place: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
