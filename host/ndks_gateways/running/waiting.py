# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Connections that applications make while there is no link: nothing of them is read, no stream is opened for them.

So a connection that is given up leaves nothing behind that would reach the service later.
"""

import asyncio
from collections.abc import Callable

LONGEST_WAIT = 30.0  # seconds; then the connection is reset


class Waiting:
    """Takes connections for `made`, which returns the protocol of one when there is a link.

    `free` says how many there may be.
    """

    def __init__(
        self, made: Callable[[], asyncio.BufferedProtocol], is_linked: Callable[[], bool], free: Callable[[], int]
    ) -> None:
        self.made = made
        self.is_linked = is_linked
        self.free = free
        self.connections: dict[_Connection, asyncio.TimerHandle] = {}

    def accepted(self) -> asyncio.BaseProtocol:
        """Return the protocol of a connection that an application made."""
        return self.made() if self.is_linked() else _Connection(self)

    def go_on(self) -> None:
        """Let them all go: there is a link."""
        for connection in list(self.connections):
            connection.go_on()

    def close(self) -> None:
        """Reset them all."""
        for connection in list(self.connections):
            connection.reset()


class _Connection(asyncio.Protocol):
    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.pause_reading()
        if len(self._waiting.connections) >= self._waiting.free():
            self.reset()
            return
        self._waiting.connections[self] = asyncio.get_running_loop().call_later(LONGEST_WAIT, self.reset)
        if self._waiting.is_linked():  # since it was accepted
            self.go_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._leave()

    def go_on(self) -> None:
        """Be the connection of a stream."""
        assert self._transport is not None
        self._leave()
        if not self._transport.is_closing():
            protocol = self._waiting.made()
            self._transport.set_protocol(protocol)
            self._transport.resume_reading()  # unless what comes next pauses it
            protocol.connection_made(self._transport)

    def reset(self) -> None:
        assert self._transport is not None
        self._leave()
        self._transport.abort()

    def _leave(self) -> None:
        if timer := self._waiting.connections.pop(self, None):
            timer.cancel()
