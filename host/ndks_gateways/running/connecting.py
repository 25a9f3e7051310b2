# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A: makes a link whenever there is none, and a new one beside it before its time is over."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from random import SystemRandom

from ndks.exceptions import NdksError

from ..tunnel.bundles import Bundle
from ..tunnel.doors import Door
from ..tunnel.errors import Forged, Garbage, UnitBehind, UnknownResumption
from ..tunnel.handshake import Established, Resumable, attempts, connect
from .greeting import Greeting, LinkClosed
from .links import Link
from .listening import call, reason_alone
from .partners import Partner
from .settings import Address
from .switching import Switch
from .tally import Tally

RENEW_AFTER = 600.0  # seconds until a link gets new keys of the units
GENERATION_WITHIN = (
    5.0  # seconds until a new generation has a link: at a random time, as many gateways hear of it at once
)
_LOOK = 1.0  # seconds between two looks at whether keys are nearly used up
_PATIENCE = 5.0  # seconds for a TCP connection
_LEAST, _MOST = 0.1, 5.0  # seconds between attempts
_FAILURES = 10  # after which the pause grows no more
_LASTING = 5.0  # seconds after which a link has been a good one
_RANDOM = SystemRandom()


class NoAnswer(NdksError):
    """No gateway answers at the address."""

    code = "NO_ANSWER"
    exit_status = 6
    usual_advice = "see whether the other gateway runs, and whether a firewall lets this one through"


class Connecting:
    """Makes links, one after another; only A begins one, so none cross."""

    def __init__(
        self,
        partner: Partner,
        switch: Switch,
        where: Address,
        tally: Tally,
        news: Callable[[Sequence[Bundle]], object],
    ) -> None:
        self.problem: NdksError | None = None  # why there is no link, or no new one
        self.is_spent: Callable[[], bool] = lambda: False  # of keys other than those of the link
        self.renew_after = RENEW_AFTER
        self._resumable: Resumable | None = None
        self._partner = partner
        self._switch = switch
        self._where = where
        self._tally = tally
        self._news = news
        self._loop = asyncio.get_running_loop()
        self._renew_at = 0.0
        self._last: Link | None = None
        self._made_at = 0.0  # of the last link
        self._failures = 0  # and short links, since the last good link
        self._round = 0
        self._changed = asyncio.Event()

    def wipe(self) -> None:
        """Resume nothing, and make a full handshake soon: there is a new generation."""
        self._resumable = None
        self.renew(GENERATION_WITHIN)

    def renew(self, within: float = 0.0) -> None:
        """Make a new link within so many seconds, though there may be one."""
        self._renew_at = min(self._renew_at, self._loop.time() + _RANDOM.uniform(0.0, within))
        self.changed()

    def changed(self) -> None:
        """Look again at what to do: a link was lost, or the unit came."""
        self._changed.set()

    def confirmed(self, link: Link) -> None:
        """Note that the other end uses a link."""
        if link is self._last:
            self.problem = None

    async def run(self) -> None:
        """Make links until this is cancelled."""
        while True:
            await self._until_due()
            try:
                if self._see_last():
                    await self._pause()
                await self._connect()
            except NdksError as error:
                self._failed(error)
                await self._pause()

    def _see_last(self) -> bool:
        """Return whether the last link is lost, and was short: whoever lets one record pass gets no other at once.

        LinkClosed, once: the other end has closed it before saying a word.
        """
        last, self._last = self._last, None
        if last is None:
            return False
        if last.is_lost and not last.is_confirmed:
            raise LinkClosed("the connection was closed before the other gateway said a word on it")
        if self._loop.time() >= self._made_at + _LASTING:
            self._failures = 0
            return False
        return last.is_lost

    async def _pause(self) -> None:
        """Wait after an attempt or a link that came to nothing, longer each time."""
        self._failures = min(self._failures + 1, _FAILURES)
        self._changed.clear()
        await self._wait(min(_LEAST * 2**self._failures, _MOST) * _RANDOM.uniform(0.5, 1.0))

    def _failed(self, error: NdksError) -> None:
        self.problem = error
        self._tally.failed[error.code] += 1
        if isinstance(error, UnitBehind):
            self._news(error.bundles)

    @property
    def _is_due(self) -> bool:
        newest = self._switch.newest
        if self._partner.unit.away and not self._resumable:
            return False
        return newest is None or newest.is_spent or self.is_spent() or self._loop.time() >= self._renew_at

    async def _until_due(self) -> None:
        while not self._is_due:
            self._changed.clear()
            left = self._renew_at - self._loop.time()
            await self._wait(left if 0 < left < _LOOK else _LOOK)

    async def _wait(self, seconds: float) -> None:
        """Wait until something has changed, or so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def _connect(self) -> None:
        """Make a link: a lost one is resumed; new keys come from the units, unless they are away. NdksError."""
        attempted = attempts(self._resumable, [] if self._partner.unit.away else self._doors())
        if self._switch.newest and self._resumable:  # it is there: its keys have had their time
            attempted = [*attempted[1:], attempted[0]]
        problem: NdksError | None = None
        for attempt in attempted:
            try:
                await self._attempt(attempt)
                return
            except (LinkClosed, Garbage, Forged) as error:  # the other end may know another door
                problem = problem or error
        raise problem or self._partner.unit.away or LinkClosed("no door is known")

    def _doors(self) -> list[Door]:
        """Return the doors for this time: of earlier epochs only one, as each costs the unit a message."""
        doors = self._partner.doors()
        earlier = [door for door in doors if door.kind == "epoch"][1:]
        self._round += 1
        tried = earlier[self._round % len(earlier)] if earlier else None
        return [door for door in doors if door not in earlier or door is tried]

    async def _attempt(self, attempt: Resumable | Door) -> None:
        own = self._switch.delivery.process
        identity = self._partner.identity(own)
        greeting = await self._called()
        try:
            self._check(attempt)
            handshake = connect(identity, attempt, self._partner.expected)
            established = await self._partner.perform(handshake, greeting)
            self._check(attempt)
        except NdksError:
            greeting.close()
            raise
        except BaseException:
            greeting.abort()
            raise
        self._take(own, established, greeting)

    def _check(self, attempt: Resumable | Door) -> None:
        """Resume no link that was wiped meanwhile, as the unit entered a generation, or the peer was forgotten.

        A call takes a while, and the other end, which may be the one that was revoked, can make it as long as it likes.
        """
        if isinstance(attempt, Resumable) and attempt is not self._resumable:
            raise UnknownResumption("the link to resume was given up meanwhile", "the gateways try again by themselves")

    async def _called(self) -> Greeting:
        greeting = Greeting()
        try:
            async with asyncio.timeout(_PATIENCE):
                await call(lambda: greeting, self._where)
        except TimeoutError:
            raise NoAnswer(f"nobody answers at {self._where}") from None
        except OSError as error:
            raise NoAnswer(f"no gateway answers at {self._where}: {reason_alone(error)}") from None
        return greeting

    def _take(self, own: bytes, established: Established, greeting: Greeting) -> None:
        self._tally.full += not established.is_resumed
        self._tally.resumed += established.is_resumed
        self._resumable = established.resumable
        self._made_at = self._loop.time()
        self._renew_at = self._made_at + self.renew_after
        self._last = self._switch.attach(own, established, greeting.transport)
