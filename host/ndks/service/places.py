# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The two places at a unit: it seals one message and opens one message at a time, for whichever client begins one.

Strategy: a client that begins a message waits for the place, first come, first served. It has the place while the unit
works on the beginning; and after it, if the message goes on at the unit, until that is complete or somebody else wants
the place of an idle owner. Then the owner's next request is CONFLICT, as if it had begun another message itself.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass

from ndks_protocol import errors, service

PATIENCE = 8.0  # seconds for the place, then BUSY: shorter than the time after which clients give up
IDLE = 5.0  # after which the owner loses the place to one that waits
_LOOK = 0.25  # between two looks at the owner, while others wait
_ENDING = {errors.CONFLICT, errors.DIVERGED, errors.BINDING}  # after these a message hardly goes on


@dataclass(eq=False)
class Lent:
    """A message that goes on at the unit; `message` is its token or handle."""

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
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def turn(self, client: object) -> AsyncGenerator[None]:
        """Hold the place during the block, which begins a message; `lend` it there if that goes on at the unit.

        UnitError BUSY. If the block fails, the message before goes on, as it does at the unit.
        """
        await self._wait(client)
        before, self._lent = self._lent, None
        try:
            yield
        except BaseException:
            self._lent = before
            raise
        finally:
            self._is_beginning = False
            self._serve()

    def lend(self, client: object, message: bytes) -> None:
        """Give the place to a client until its message is complete."""
        self._lent = Lent(client, message, _now())

    def lent_to(self, client: object, message: bytes) -> Lent | None:
        """Return the message that goes on at the unit, if it is this one of this client."""
        lent = self._lent
        return lent if lent and lent.client is client and lent.message == message else None

    @contextlib.contextmanager
    def going_on(self, client: object, message: bytes, *, is_end: bool) -> Generator[None]:
        """Note that the owner of a message uses the place during the block; with `is_end` for the last time.

        UnitError CONFLICT: this message is not the one that goes on at the unit.
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
            self._serve()

    def leave(self, client: object | None = None) -> None:
        """End the message of a client, or of any: it has left, or the unit has."""
        if self._lent and client in (None, self._lent.client):
            self._lent = None
            self._serve()

    async def _wait(self, client: object) -> None:
        if self._lent and self._lent.client is client:
            self._lent.is_complete = True  # the new message will end it
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._serve()
        try:
            async with asyncio.timeout(PATIENCE):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # the place came at the same time
                self._is_beginning = False
                self._serve()
            if isinstance(error, TimeoutError):
                raise errors.UnitError(service.BUSY) from None
            raise

    def _serve(self) -> None:
        """Give the place to the first that waits, if it is free; otherwise look again in a while."""
        while self._waiting and self._is_free():
            turn = self._waiting.popleft()
            if not turn.done():  # else it has given up
                self._is_beginning = True
                turn.set_result(None)
        if self._timer:
            self._timer.cancel()
        later = asyncio.get_running_loop().call_later
        self._timer = later(_LOOK, self._serve) if self._waiting else None

    def _is_free(self) -> bool:
        if self._is_beginning:
            return False
        lent = self._lent
        return not lent or lent.is_complete or (not lent.asked and _now() - lent.used >= IDLE)


def _now() -> float:
    return asyncio.get_running_loop().time()
