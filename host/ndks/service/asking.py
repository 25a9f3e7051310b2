# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests to the unit from the loop of the sockets, and what this loop knows of the unit."""

import asyncio
import contextlib
import functools
from collections.abc import Callable
from typing import TypeVar

from ndks_protocol import errors, framing, service
from ndks_protocol.commands import Command
from ndks_protocol.session import OVERHEAD

from .holding import State
from .order import Job, Order, Outcome

_T = TypeVar("_T")

WAITS = 1.0  # seconds that a request waits for a unit that is not there
WATCHED = 8.0  # after which WATCH is answered in any case: sooner than clients give up
_LOOK = 0.25  # between two looks for requests that wait in vain
_LARGEST = framing.MAX_PAYLOAD - OVERHEAD


class Asking:
    """The unit, as clients see it. Its methods are called in the loop of the sockets."""

    def __init__(self, order: Order) -> None:
        self.state = State()
        self.serial = 1  # of the changes that WATCH tells
        self._order = order
        self._loop = asyncio.get_running_loop()
        self._watching: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None

    async def ask(
        self, client: object, command: Command, payload: bytes, order: int, *, is_durable: bool = False
    ) -> bytes:
        """Return the payload of the unit's answer; with `is_durable` after the counters are on the disk. UnitError."""
        if len(payload) > _LARGEST:
            raise errors.UnitError(errors.BAD_REQUEST)
        if not self.state.present and self.state.code != service.NO_UNIT:
            raise errors.UnitError(self.state.code)
        answered: asyncio.Future[Outcome] = self._loop.create_future()
        done = functools.partial(self._done, answered)
        self._order.put(Job(command, payload, client, order, done, is_durable))
        if not self.state.present and not self._timer:
            self._look()
        outcome = await answered
        if isinstance(outcome, int):
            raise errors.UnitError(outcome)
        return outcome

    async def wait_until(self, holds: Callable[[State, int], bool], longest: float | None = None) -> None:
        """Wait until something holds of the state and the number of its last change, or for so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest):
                while not holds(self.state, self.serial):
                    news = self._loop.create_future()
                    self._watching.append(news)
                    await news

    def told(self, state: State) -> None:
        """Take a new state of the unit."""
        before, self.state = self.state, state
        if (before.present, before.epoch) != (state.present, state.epoch):
            self.serial += 1
        if not state.present:
            self._look()
        watching, self._watching = self._watching, []
        for news in watching:
            _set(news, None)

    def _look(self) -> None:
        """While there is no unit, end the requests that have waited for long enough."""
        waits = WAITS if self.state.code == service.NO_UNIT else 0.0
        for job in self._order.older_than(waits):
            job.done(self.state.code)
        self._timer = None if self.state.present else self._loop.call_later(_LOOK, self._look)

    def _done(self, answered: asyncio.Future[Outcome], outcome: Outcome) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(_set, answered, outcome)


def _set(future: asyncio.Future[_T], value: _T) -> None:
    if not future.done():  # else the client has left
        future.set_result(value)
