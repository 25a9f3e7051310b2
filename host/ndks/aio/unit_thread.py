# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The thread of a unit. It runs steps of the driver for tasks, which may be cancelled."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ..line.transport import Transport

_R = TypeVar("_R")


class Stopped(BaseException):
    """Ends a step whose task was cancelled, as Ctrl-C ends a command."""


class _Step:
    """One call in the thread."""

    is_stopped = False


class UnitThread:
    """Runs one step at a time, in the order in which they are asked for."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "ndks")
        self._has_ended = False
        self._step = _Step()  # the current one; set in the thread

    async def run(self, call: Callable[[], _R]) -> _R:
        """Run a step; stop it when this is cancelled. CancelledError is raised when it has ended."""
        return await self._run(call, may_stop=True)

    async def run_whole(self, call: Callable[[], _R]) -> _R:
        """Run a step to its end. When this is cancelled, CancelledError is raised then."""
        return await self._run(call, may_stop=False)

    def check(self) -> None:
        """Raise Stopped in the thread if the current step is to stop."""
        if self._step.is_stopped:
            raise Stopped

    def end(self) -> None:
        """End the thread. The unit is closed: later steps fail at once, and need none."""
        self._has_ended = True
        self._pool.shutdown(wait=False)

    async def _run(self, call: Callable[[], _R], *, may_stop: bool) -> _R:
        if self._has_ended:
            return call()
        step = _Step()

        def in_thread() -> _R:
            self._step = step
            self.check()
            return call()

        running = asyncio.get_running_loop().run_in_executor(self._pool, in_thread)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            step.is_stopped = may_stop
            await _end_of(running)
            raise


class StoppableTransport:
    """A transport that stops a step before it reads: nothing is half sent then."""

    def __init__(self, transport: Transport, check: Callable[[], None]) -> None:
        self.unplugs = transport.unplugs
        self.write = transport.write
        self.close = transport.close
        self._transport = transport
        self._check = check

    def read(self) -> bytes:
        self._check()
        return self._transport.read()


async def _end_of(running: "asyncio.Future[Any]") -> None:
    """Wait for the end of a step, even when the task is cancelled once more."""
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            continue
    if not running.cancelled():
        running.exception()  # nobody else retrieves it
