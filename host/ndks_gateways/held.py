# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit of a gateway, through the socket `gate` of `ndks service`: one connection for work, one for news.

Whatever fails is tried again until it works.
"""

import asyncio
import contextlib
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import TypeVar

import ndks.aio
from ndks.driver.service_verbs import Presence
from ndks.exceptions import DeviceError, NdksError, NoUnit, ProtocolError, UnitRemoved
from ndks.system_errors import file_error
from ndks.times import DEFAULT_TIMEOUT
from ndks_protocol import errors

from .unit_socket import socket_of

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_RANDOM = SystemRandom()
_PAUSES = 0.1, 0.2, 0.5, 1.0, 2.0, 5.0  # seconds between attempts to reach the service
_SUITE = "hybrid"
_NOT_THERE = "plug it in, or wait for the end of ndks service release"
_LOOK_AGAIN = 5.0  # seconds after which a unit that is there but cannot be used is asked again
_CLOSED = (UnitRemoved, ProtocolError)  # after which a connection is of no use


class UnitAway(NdksError):
    """The unit, or the service that holds it, is not at hand; the search for it goes on."""

    code = "UNIT_AWAY"
    exit_status = 3


class WeakSuite(NdksError):
    """The unit's network is of suite paper: a few dozen known bits of a key reveal the rest, so it protects nothing."""

    code = "WEAK_SUITE"
    exit_status = 4
    usual_advice = "provision the units with a network of suite hybrid: ndks network new"


class Held(ABC):
    """A unit that comes and goes; `run` keeps the connections to the service.

    `unit` is a serial number, a port, unix:PATH, or None for the only one that a service holds. `away` says why the
    unit cannot be used, None if it can; `away_since` is in seconds of time.time(). `serial_number` is known once the
    unit has been there.
    `changes` grows whenever the unit comes or goes, and whenever there is other news of it.
    """

    def __init__(self, unit: str | None, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.away: NdksError | None = NoUnit("the unit has not been seen yet")
        self.away_since = time.time()
        self.changes = 0
        self.serial_number = ""
        self._unit = unit
        self._timeout = max(timeout, DEFAULT_TIMEOUT)  # a WATCH without news is answered after 8 s
        self._work: ndks.aio.Unit | None = None
        self._is_broken = asyncio.Event()
        self._changed = asyncio.Event()

    async def wait_change(self, known: int) -> int:
        """Return `changes` as soon as it differs from this number."""
        while self.changes == known:
            await self._changed.wait()
        return self.changes

    async def call(self, verb: Callable[[ndks.aio.Unit], Awaitable[_T]]) -> _T:
        """Do something with the unit. UnitAway; DeviceError and others, as the verb raises them."""
        unit = self._work
        if not unit or self.away:
            raise unit_away(self.away)
        try:
            return await verb(unit)
        except _CLOSED as error:
            self._is_broken.set()
            raise unit_away(error) from None
        except NdksError as error:
            if isinstance(error, DeviceError) and error.number != errors.SESSION_ENDED:
                raise
            raise unit_away(error) from None

    async def run(self) -> None:
        """Keep the unit at hand until this is cancelled."""
        failures = 0
        while True:
            begun = time.monotonic()
            try:
                await self._stay()
            except NdksError as error:
                self._lose(error)
            except OSError as error:
                self._lose(file_error(error))
            failures = 0 if time.monotonic() - begun > _PAUSES[-1] else failures
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)] * _RANDOM.uniform(0.5, 1.0))
            failures += 1

    @abstractmethod
    async def _learn(self, work: ndks.aio.Unit, said: Presence) -> bool:
        """Learn the state of a unit that is there; return whether there is news. NdksError: it cannot be used."""

    async def _stay(self) -> None:
        """Use the service until one of the connections is of no use. NdksError, OSError."""
        port = socket_of(self._unit)
        async with ndks.aio.open(port, self._timeout) as watching, ndks.aio.open(port, self._timeout) as work:
            self._work = work
            self._is_broken.clear()
            watch = asyncio.create_task(self._watch(watching, work))
            broken = asyncio.create_task(self._is_broken.wait())
            try:
                await asyncio.wait({watch, broken}, return_when=asyncio.FIRST_COMPLETED)
                if watch.done():
                    watch.result()
                raise UnitRemoved("the service has closed a connection")
            finally:
                self._work = None
                for task in (watch, broken):
                    task.cancel()
                await asyncio.gather(watch, broken, return_exceptions=True)

    async def _watch(self, watching: ndks.aio.Unit, work: ndks.aio.Unit) -> None:
        """Learn of each change. NdksError: the connection is of no use any more."""
        said = await watching.watch()
        while True:
            try:
                await self._look(work, said)
            except _CLOSED:
                raise
            except NdksError as error:
                self._lose(error)
            if not self.away or not said.present:
                said = await watching.watch(said.serial)
                continue
            with contextlib.suppress(TimeoutError):  # it may be unlocked, or get its first generation, without a change
                async with asyncio.timeout(_LOOK_AGAIN):
                    said = await watching.watch(said.serial)

    async def _look(self, work: ndks.aio.Unit, said: Presence) -> None:
        self.serial_number = work.hello.serial_number
        if not said.present:
            raise NoUnit(f"unit {self.serial_number} is not plugged in", _NOT_THERE)
        is_news = await self._learn(work, said)
        if self.away:
            _log.info("unit %s is there", self.serial_number)
            self.away = None
            self._tell()
        elif is_news:
            self._tell()

    def _lose(self, why: NdksError) -> None:
        if not self.away:
            self.away_since = time.time()
        if not self.away or str(self.away) != str(why):
            _log.warning("%s: %s; this goes on when the unit can be used", why.code, why)
            self.away = why
            self._tell()

    def _tell(self) -> None:
        self.changes += 1
        self._changed.set()
        self._changed = asyncio.Event()


def need_hybrid(suite: str) -> None:
    """Refuse a unit whose keys protect nothing. WeakSuite."""
    if suite != _SUITE:
        raise WeakSuite(f"the unit's network is of suite {suite}; gateways need suite {_SUITE}")


def unit_away(why: NdksError | None) -> UnitAway:
    """Return the error to raise while the unit is away, for the reason `why`; None: the unit is being opened."""
    return UnitAway(str(why), why.advice) if why else UnitAway("the unit is being opened")
