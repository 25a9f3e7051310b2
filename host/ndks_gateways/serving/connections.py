# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Listening with TLS: connections are bounded, and certificates can be replaced while the server runs."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable

from aiohttp import web

from ndks.exceptions import UsageError, reason

from .config_readers import Address

_BACKLOG = 1024
_LINGER = 2.0  # seconds in which the rest of a refused body is read and thrown away, so that the answer arrives
# What is no HTTP would be logged, by each client as often as it likes. Bugs are logged by the handler.
_SILENT = logging.Logger("aiohttp", logging.CRITICAL)
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Listener:
    """Connections of clients at one address, at most so many, each closed when `idle` seconds bring no request."""

    def __init__(self, handler: Handler, most: int, idle: float, handshake: float) -> None:
        # Bodies are not decompressed: a small one could become a large one.
        self._http = web.Server(
            handler,
            access_log=None,
            logger=_SILENT,
            keepalive_timeout=idle,
            lingering_time=_LINGER,
            auto_decompress=False,
        )
        self._most = most
        self._handshake = handshake
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self.turned_away = 0

    @property
    def count(self) -> int:
        """Connections that are open."""
        return len(self._http.connections)

    @property
    def address(self) -> Address:
        """Where clients come; the port is there even if the system has chosen it."""
        assert self._socket
        return Address(*self._socket.getsockname()[:2])

    async def open(self, address: Address, context: ssl.SSLContext | None) -> None:
        """Take the address, and serve, with TLS if there is a context. UsageError: it cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
            self._socket = _bound(found[0][0], found[0][4])
        except OSError as error:
            raise UsageError(f"nobody can listen at {address}: {reason(error)}", "name another address") from None
        await self.renew(context)

    async def renew(self, context: ssl.SSLContext | None) -> None:
        """Serve new connections with this context; those that are there stay as they are."""
        assert self._socket
        loop = asyncio.get_running_loop()
        former, again = self._server, self._socket.dup()
        patience = self._handshake if context else None  # asyncio takes none without TLS
        self._server = await loop.create_server(
            self._connection, sock=again, ssl=context, backlog=_BACKLOG, ssl_handshake_timeout=patience
        )
        if former:
            former.close()

    async def close(self, patience: float = 2.0) -> None:
        """Take no more connections, let requests end, and close all connections. `patience` in seconds."""
        for each in (self._server, self._socket):
            if each:
                each.close()
        self._http.pre_shutdown()
        await self._http.shutdown(patience)

    def _connection(self) -> asyncio.Protocol:
        if self.count < self._most:
            return self._http()
        self.turned_away += 1
        return _Refuse()


class _Refuse(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


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
