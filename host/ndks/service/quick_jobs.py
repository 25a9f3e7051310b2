# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Jobs that the loop of the sockets does at the unit by itself, so that a request need not change threads.

Strategy: the thread of the unit opens the port and the session, and does whatever waits for a disk. While it has
nothing to do it lends the unit to the loop, which does quick jobs (`Hold.is_quick`) in the same order, and gives the
unit back with the first other job, with an error, or at the end. One thread at a time drives the unit: nothing is
locked.
"""

import asyncio
import functools
import threading
from collections.abc import Callable

from .hold import Hold
from .order import Job, Order

_LOOK = 0.25  # seconds between two checks for late answers


class QuickJobs:
    """The unit, lent to the loop. `descriptor` is that of its port."""

    def __init__(self, loop: asyncio.AbstractEventLoop, order: Order, hold: Hold, descriptor: int) -> None:
        self._loop = loop
        self._order = order
        self._hold = hold
        self._descriptor = descriptor
        self._is_busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._returned = threading.Event()
        self._job: Job | None = None
        self._error: Exception | None = None

    def run(self) -> Job | None:
        """Lend the unit, in its thread, and return the job for which it came back, if there is one. NdksError."""
        self._loop.call_soon_threadsafe(self._lend)
        self._returned.wait()
        if self._error:
            raise self._error
        return self._job

    def _lend(self) -> None:
        self._do(self._watch)

    def _watch(self) -> bool:
        self._loop.add_reader(self._descriptor, self._do, self._receive)
        self._order.on_change = functools.partial(self._do, self._take)
        return self._take()

    def _return(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self._order.on_change = None
        if self._timer:
            self._timer.cancel()
        self._returned.set()

    def _do(self, work: Callable[[], bool]) -> None:
        """Do some work, unless called from such work; give the unit back if there is no more of it."""
        if self._is_busy:
            return
        self._is_busy = True
        try:
            goes_on = work()
        except Exception as error:  # is raised in the thread of the unit
            self._error = error
            goes_on = False
        self._is_busy = False
        if not goes_on:
            self._return()

    def _receive(self) -> bool:
        self._hold.receive()
        return self._take()

    def _look(self) -> bool:
        self._timer = None
        self._hold.receive(waits=False)
        return self._take()

    def _take(self) -> bool:
        """Begin the quick jobs whose turn it is; return whether the loop goes on."""
        while job := self._hold.take():
            if not self._hold.is_quick(job):
                self._job = job
                return False
            self._hold.begin(job)
        if self._hold.is_working and not self._timer:
            self._timer = self._loop.call_later(_LOOK, self._do, self._look)
        return not self._order.is_closed
