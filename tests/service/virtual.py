# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A service in virtual time: its own loop and code, a unit in memory, and calls that take as long as on a board.

The sockets are real, but nobody waits: when the loop has nothing to do, its clock jumps to the next timer.
"""

import asyncio
import contextlib
import selectors
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

from support.public_network import public_network

from ndks.driver.owner import Owner
from ndks.driver.unit import Unit
from ndks.keys.generator import VectorGenerator
from ndks.laptop.bindings import BindingStore
from ndks.line.link import Link
from ndks.service.hold import Hold
from ndks.service.holding import State
from ndks.service.order import Job, Order
from ndks.service.scopes import SCOPES
from ndks.service.server import Server
from ndks_emulator import MemoryUnit

CALL = 0.028  # seconds of a call to a board, with a garbage collection now and then (docs/speed.md)


_THREADS = 60.0  # real seconds: only a thread can still have an event for the loop


class _Selector(selectors.DefaultSelector):
    """Finds what is ready, and otherwise lets the clock jump instead of waiting."""

    jumped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else _THREADS)
        if not ready and timeout is None:
            raise RuntimeError("all wait for ever")
        if not ready and timeout:
            self.jumped += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.jumped


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


class VirtualUnit:
    """Does the jobs of an order in the loop: each takes CALL seconds."""

    def __init__(self, unit: MemoryUnit, store: BindingStore) -> None:
        self._unit = unit
        self._store = store
        self.calls = 0

    def hold(self, order: Order, tell: Callable[[State], object]) -> threading.Thread:
        loop = asyncio.get_running_loop()
        order.clock = loop.time
        self._order, self._tell = order, tell
        self._put = asyncio.Event()
        put = order.put
        order.put = lambda job, **options: (put(job, **options), self._put.set())  # type: ignore[method-assign]
        self.task = loop.create_task(self._run())
        thread = threading.Thread(target=lambda: None)  # the loop does its work
        thread.start()
        return thread

    async def _run(self) -> None:
        link = Link(self._unit, 1.0)
        owner = Owner(link, self._store)
        hold = Hold(self._order, link, owner, lambda epoch: self._tell(self._state(owner, epoch)), lambda _: None)
        hold.open_session()
        while True:
            job = hold.take()
            if not job:
                self._put.clear()
                await self._put.wait()
                continue
            await self._do(hold, job)

    async def _do(self, hold: Hold, job: Job) -> None:
        hold.begin(job)  # the unit has answered when this returns
        while hold.is_working:
            await asyncio.sleep(CALL)
            self.calls += 1
            hold.receive()

    def _state(self, owner: Owner, epoch: int) -> State:
        return State(owner.greeting, owner.hello.serial_number, "memory", present=True, epoch=epoch)


@contextlib.asynccontextmanager
async def served(unit: MemoryUnit, store: BindingStore) -> AsyncIterator[tuple[VirtualUnit, dict[str, Path]]]:
    """Serve a unit; yield it and the paths of its sockets by scope."""
    virtual = VirtualUnit(unit, store)
    with tempfile.TemporaryDirectory() as directory:
        paths = {scope: Path(directory, scope) for scope in SCOPES}
        listeners = {scope: socket.socket(socket.AF_UNIX) for scope in SCOPES}
        for scope, listener in listeners.items():
            listener.bind(str(paths[scope]))
            listener.listen()
        server = Server(virtual.hold)
        await server.listen(listeners)
        try:
            yield virtual, paths
        finally:
            virtual.task.cancel()
            await server.end()
            await asyncio.sleep(1)  # clients close their ends


def member(store: BindingStore) -> MemoryUnit:
    """Return a unit of the public network, bound to the store's laptop."""
    unit = MemoryUnit(make_generator=VectorGenerator)
    opened = Unit("memory", Link(unit, 1.0), store)
    opened.bind(opened.provision(public_network(), 1))
    return unit
