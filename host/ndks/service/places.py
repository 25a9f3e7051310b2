# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The two places at a unit: it seals one message and opens one message at a time, for whichever client begins one.

Strategy: a message that proceeds at the unit gets the place, first come, first served, until it is complete, or until
somebody else wants the place while its owner is idle. Then the owner's next request is CONFLICT, as if it had begun
another message itself. A message whose keys the unit gives in one go needs no place. But it must not end another
client's: it waits while a message is in progress. Any number of these may be at the unit at the same time.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass

from ndks_protocol import errors, service

PATIENCE = 8.0  # seconds for the place, then BUSY: shorter than the time after which clients give up
IDLE = 5.0  # after which the owner loses the place to one that waits
_LOOK = 0.25  # between two checks of the owner, while others wait
_MOST_PASSED = 7  # so that whoever waits gets at least one turn in eight
_ENDING = {errors.CONFLICT, errors.DIVERGED, errors.BINDING}  # after these a message will hardly continue


@dataclass(eq=False)
class Lent:
    """A message in progress at the unit; `message` is its token or handle."""

    client: object
    message: bytes
    used: float  # when its owner last asked for something, or got it
    asked: int = 0  # requests of its owner that have no answer yet
    is_complete: bool = False  # its owner may continue until another message begins


class Place:
    """The place to seal, or the place to open."""

    def __init__(self) -> None:
        self._lent: Lent | None = None
        self._is_beginning = False
        self._passing = 0  # messages that need no place and are at the unit
        self._waiting: list[object] = []
        self._passed = 0  # urgent ones that have passed the first of these
        self._changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @contextlib.asynccontextmanager
    async def turn(self, client: object) -> AsyncGenerator[None]:
        """Hold the place during the block, which begins a message; `lend` it there if that proceeds at the unit.

        UnitError BUSY. If the block fails, the previous message goes on, as it does at the unit.
        """
        if self._lent and self._lent.client is client:
            self._lent.is_complete = True  # the new message will end it
        await self._wait(self._is_free)
        self._is_beginning = True
        before, self._lent = self._lent, None
        try:
            yield
        except BaseException:
            self._lent = before
            raise
        finally:
            self._is_beginning = False
            self._tell()

    @contextlib.asynccontextmanager
    async def passing(self, *, is_urgent: bool) -> AsyncGenerator[None]:
        """Keep others from the place during the block, except those that also only pass. UnitError BUSY."""
        await self._wait(self._may_pass, is_urgent=is_urgent)
        self._passing += 1
        self._lent = None  # the unit ends what was idle or complete
        try:
            yield
        finally:
            self._passing -= 1
            self._tell()

    def lend(self, client: object, message: bytes) -> None:
        """Give the place to a client until its message is complete."""
        self._lent = Lent(client, message, _now())

    def lent_to(self, client: object, message: bytes) -> Lent | None:
        """Return the message in progress at the unit, if it is this one of this client."""
        lent = self._lent
        return lent if lent and lent.client is client and lent.message == message else None

    def touch(self, client: object, message: bytes) -> None:
        """Note that the owner of the place uses it, if it is this one."""
        if lent := self.lent_to(client, message):
            lent.used = _now()

    @contextlib.contextmanager
    def going_on(self, client: object, message: bytes, *, is_end: bool) -> Generator[None]:
        """Note that the owner of a message uses the place during the block; with `is_end`, for the last time.

        UnitError CONFLICT: this message is not the one in progress at the unit.
        """
        lent = self.lent_to(client, message)
        if not lent:
            raise errors.UnitError(errors.CONFLICT)
        lent.asked += 1
        try:
            yield
            lent.is_complete = lent.is_complete or is_end
        except errors.UnitError as error:
            lent.is_complete = lent.is_complete or error.code in _ENDING
            raise
        finally:
            lent.asked -= 1
            lent.used = _now()
            self._tell()

    def leave(self, client: object | None = None) -> None:
        """End the message of a client, or of any client: it has left, or the unit has."""
        if self._lent and client in (None, self._lent.client):
            self._lent = None
            self._tell()

    async def _wait(self, is_free: Callable[[], bool], *, is_urgent: bool = False) -> None:
        """Wait until the place is free, in the order in which all wait; urgent ones pass the others a few times."""
        ticket = object()
        self._waiting.append(ticket)
        try:
            async with asyncio.timeout(PATIENCE):
                while not (is_free() and self._has_turn(ticket, is_urgent=is_urgent)):
                    await self._news()
            self._passed = 0 if self._waiting[0] is ticket else self._passed + 1
        except TimeoutError:
            raise errors.UnitError(service.BUSY) from None
        finally:
            self._waiting.remove(ticket)
            self._tell()

    def _has_turn(self, ticket: object, *, is_urgent: bool) -> bool:
        return self._waiting[0] is ticket or (is_urgent and self._passed < _MOST_PASSED)

    async def _news(self) -> None:
        """Wait for a change, or for a while: the owner may be idle then."""
        if self._changed.done():
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._changed], timeout=_LOOK)

    def _tell(self) -> None:
        if not self._changed.done():
            self._changed.set_result(None)

    def _is_free(self) -> bool:
        return not self._passing and self._may_pass()

    def _may_pass(self) -> bool:
        lent = self._lent
        is_idle = not lent or lent.is_complete or (not lent.asked and _now() - lent.used >= IDLE)
        return is_idle and not self._is_beginning


def _now() -> float:
    return asyncio.get_running_loop().time()
