# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests to the unit from the loop of the sockets, and what this loop knows about the unit."""

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable
from typing import TypeVar

from ndks_protocol import errors, framing, service
from ndks_protocol.commands import Command
from ndks_protocol.session import OVERHEAD

from .holding import State
from .order import Job, Order, Outcome

_T = TypeVar("_T")

WAITS = 1.0  # seconds that a request waits for a unit that is not there
_OPENING = 5.0  # and for one that is there, whose session is being opened: a board takes a second
WATCHED = 8.0  # after which WATCH is answered in any case: sooner than clients give up
_LOOK = 0.25  # between two checks for requests that wait in vain
_LARGEST = framing.MAX_PAYLOAD - OVERHEAD

_LOST = (errors.SESSION_ENDED, errors.CONFLICT)

Asked = tuple[Command, bytes]  # a request and its payload
Then = Callable[[bytes], Asked | None]


class Lost(Exception):
    """The session was lost before both answers had come, or the message has ended with an earlier session."""


class Asking:
    """The unit, as clients see it. Its methods are called in the loop of the sockets."""

    def __init__(self, order: Order) -> None:
        self.state = State()
        self.serial = 1  # of the changes that WATCH reports
        self._order = order
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()  # of the loop
        self._away_since = self._loop.time()  # while the unit is not present
        self._watching: set[asyncio.Future[None]] = set()
        self._is_ending = False
        self._timer: asyncio.TimerHandle | None = None

    def clock(self) -> float:
        """Return the time in seconds."""
        return self._order.clock()

    async def ask(self, client: object, command: Command, payload: bytes, order: int) -> bytes:
        """Return the payload of the unit's answer. UnitError."""
        job, answered = self._job(client, (command, payload), order)
        self._put(job)
        return await _payload(answered)

    def forward(
        self, client: object, command: Command, payload: bytes, order: int, answered: Callable[[Outcome], object]
    ) -> None:
        """Ask as `ask` does, and call `answered` with what comes of it: faster than a coroutine. UnitError."""
        self._put(Job(command, payload, client, order, functools.partial(self._soon, answered)))

    async def ask_both(
        self, client: object, first: Asked, order: int, then: Then, *, is_durable: bool = False
    ) -> tuple[bytes, bytes]:
        """Return the payloads of two answers, between which the unit is asked nothing else. UnitError, Lost.

        `then` takes the first payload, in the thread that drives the unit, and returns what to ask next, or raises
        UnitError. If it returns None, nothing is asked, and the second payload is empty. With `is_durable` the second
        comes after this laptop's counters are on the disk.
        """
        job, answered = self._job(client, first, order)
        second: asyncio.Future[Outcome] = self._loop.create_future()

        def follow(payload: bytes) -> Job | None:
            try:
                asked = then(payload)
            except errors.UnitError as error:
                self._done(second, error.code)
                return None
            if not asked:
                self._done(second, b"")
                return None
            return Job(*asked, client, order, functools.partial(self._done, second), is_durable)

        job.follow = follow
        self._put(job)
        return await _payload(answered, _LOST[:1]), await _payload(second, _LOST)

    def _job(self, client: object, asked: Asked, order: int) -> tuple[Job, asyncio.Future[Outcome]]:
        answered: asyncio.Future[Outcome] = self._loop.create_future()
        return Job(*asked, client, order, functools.partial(self._done, answered)), answered

    def _put(self, job: Job) -> None:
        if len(job.payload) > _LARGEST:
            raise errors.UnitError(errors.BAD_REQUEST)
        if not self.state.present and self.state.code != service.NO_UNIT:
            raise errors.UnitError(self.state.code)
        self._order.put(job)
        if not self.state.present and not self._timer:
            self._look()

    async def wait_until(self, holds: Callable[[State, int], bool], longest: float | None = None) -> None:
        """Wait until a condition on the state and the number of its last change holds, or for so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest):
                while not (self._is_ending or holds(self.state, self.serial)):
                    news = self._loop.create_future()
                    self._watching.add(news)
                    try:
                        await news
                    finally:
                        self._watching.discard(news)

    def told(self, state: State) -> None:
        """Take a new state of the unit."""
        before, self.state = self.state, state
        if before.seen != state.seen:
            self.serial += 1
        if before.present and not state.present:
            self._away_since = self._loop.time()
        if not state.present:
            self._look()
        self.wake()

    def end_waits(self) -> None:
        """Let nobody wait for a change any longer."""
        self._is_ending = True
        self.wake()

    def wake(self) -> None:
        """Make everybody who waits look again."""
        for news in self._watching:
            _set(news, None)

    def _look(self) -> None:
        """While there is no unit, end the requests that have waited for it long enough."""
        if self._timer:
            self._timer.cancel()
        waits = _OPENING if self.state.is_opening else WAITS
        waits = waits if self.state.code == service.NO_UNIT else 0.0
        if self._loop.time() >= self._away_since + waits:
            for job in self._order.older_than(waits):
                job.done(self.state.code)
        self._timer = None if self.state.present else self._loop.call_later(_LOOK, self._look)

    def _done(self, answered: asyncio.Future[Outcome], outcome: Outcome) -> None:
        self._soon(functools.partial(_set, answered), outcome)

    def _soon(self, answered: Callable[[Outcome], object], outcome: Outcome) -> None:
        if threading.get_ident() == self._thread:
            answered(outcome)
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(answered, outcome)


async def _payload(answered: asyncio.Future[Outcome], lost: tuple[int, ...] = ()) -> bytes:
    outcome = await answered
    if outcome in lost:
        raise Lost
    if isinstance(outcome, int):
        raise errors.UnitError(outcome)
    return outcome


def _set(future: asyncio.Future[_T], value: _T) -> None:
    if not future.done():  # otherwise the client has left
        future.set_result(value)
