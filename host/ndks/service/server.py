# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The life of a service: sockets, clients, the thread of the unit, and an orderly end."""

import asyncio
import contextlib
import functools
import signal
import socket
import threading
from collections.abc import Callable

from ..driver.finding import find_port
from ..driver.unit import open_port
from ..laptop.bindings import BindingStore
from ..line.transport import Transport
from . import sockets
from .asking import Asking
from .connection import Connection, Refused
from .desk import Desk
from .holding import Holder, Opener, State
from .order import Order
from .scopes import SCOPES, Scope

_PATIENCE = 2.0  # seconds at the end for requests that were taken
_LAST_ANSWERS = 0.2  # for clients to read their answers
_LOOK = 0.02
_REFUSED = 16  # clients for which there is no room, but that may still send a request: they use up descriptors too
_REFUSED_FOR = 2.0
_LONGEST_END = 3.0  # for the thread of the unit to end; after it, the process ends without CLOSE
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Tell = Callable[[State], object]
Started = Callable[[str, dict[str, str]], object]  # takes the unit's uid, or "", and the paths of sockets by scope


async def serve(unit: str | None, timeout: float, bindings: BindingStore, started: Started) -> None:
    """Serve one unit until a signal. `started` is called when there are sockets.

    `unit` is a port, a serial number, or None for the only unit. `timeout` is the longest wait for an answer of the
    unit, in seconds. Without sockets of systemd the unit must open a session at the start: NdksError.
    """
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()
    opener = _opener(unit, timeout)

    def ends() -> None:
        signalled.set()
        server.end_waits()

    for number in _ENDING:  # before the unit's thread starts: an orderly end closes the session that it opens
        loop.add_signal_handler(number, ends)
    server = Server(lambda order, tell: Holder(order, opener, timeout, bindings, tell).start())
    try:
        with contextlib.ExitStack() as stack:
            listeners = sockets.passed()
            if not listeners:
                serial_number = await server.serial_number()
                if signalled.is_set():
                    return
                listeners = stack.enter_context(sockets.made(serial_number))
            await server.listen(listeners)
            started(server.state.serial_number, {name: each.getsockname() for name, each in listeners.items()})
            await signalled.wait()
    finally:
        await server.end()


def _opener(unit: str | None, timeout: float) -> Opener:
    def opened(known: str) -> tuple[str, Transport]:
        port = find_port(unit or known or None)
        return port, open_port(port, timeout)

    return opened


class Server:
    """One unit, its thread, and its clients.

    `hold` starts the thread that does the jobs of an order at the unit, and reports each new state of the unit.
    """

    def __init__(self, hold: Callable[[Order, Tell], threading.Thread]) -> None:
        self._loop = asyncio.get_running_loop()
        self._order = Order()
        self._asking = Asking(self._order)
        self._desk = Desk(self._asking)
        self._connections: dict[Connection, Scope] = {}
        self._refused: set[Refused] = set()
        self._listeners: list[asyncio.Server] = []
        self._thread = hold(self._order, self._tell)

    @property
    def state(self) -> State:
        """What is known about the unit."""
        return self._asking.state

    async def serial_number(self) -> str:
        """Return the serial number of the unit when a session is open, or after `end_waits`; raise why none is."""
        await self._asking.wait_until(lambda state, _: bool(state.present or state.problem))
        if self.state.problem:
            raise self.state.problem
        return self.state.serial_number

    async def listen(self, listeners: dict[str, socket.socket]) -> None:
        """Accept clients at the sockets of scopes."""
        for name, listener in listeners.items():
            listener.setblocking(False)
            accept = functools.partial(self._accept, SCOPES[name])
            self._listeners.append(await self._loop.create_server(accept, sock=listener))

    def end_waits(self) -> None:
        """Let nobody wait any longer for the unit to come or go."""
        self._asking.end_waits()

    async def end(self) -> None:
        """Finish the requests that were taken, and close the session."""
        for listener in self._listeners:
            listener.close()
        for connection in self._connections:
            connection.end()
        self.end_waits()
        deadline = self._loop.time() + _PATIENCE
        while self._loop.time() < deadline and not all(connection.is_idle for connection in self._connections):
            await asyncio.sleep(_LOOK)
        for job in self._order.close():
            job.done(self.state.code)
        await asyncio.to_thread(self._thread.join, _LONGEST_END)
        await self._close_all()

    async def _close_all(self) -> None:
        """Close the connections; those whose clients do not read their last answers in time are cut off."""
        for connection in list(self._connections):
            connection.close()
        deadline = self._loop.time() + _LAST_ANSWERS
        while self._connections and self._loop.time() < deadline:
            await asyncio.sleep(_LOOK)
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)

    def _tell(self, state: State) -> None:
        """Pass a new state from the thread of the unit to the loop."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._told, state)

    def _told(self, state: State) -> None:
        if not state.present:
            self._desk.unplugged()
        self._asking.told(state)

    def _accept(self, scope: Scope) -> asyncio.BaseProtocol:
        if sum(each is scope for each in self._connections.values()) >= scope.clients:
            return self._refuse(scope)
        connection = Connection(scope, self._desk, self._left)
        self._connections[connection] = scope
        self._share()
        return connection

    def _refuse(self, scope: Scope) -> Refused:
        refused = Refused(scope, _REFUSED_FOR if len(self._refused) < _REFUSED else 0.0, self._refused.discard)
        self._refused.add(refused)
        return refused

    def _left(self, connection: Connection) -> None:
        del self._connections[connection]
        self._order.forget(connection.client)
        self._share()

    def _share(self) -> None:
        """Use the unit in small steps while there are clients that must not wait long for keys of messages."""
        is_shared = any(scope.shares for scope in self._connections.values())
        self._desk.is_shared = is_shared
        self._order.at_once = 1 if is_shared else 2
