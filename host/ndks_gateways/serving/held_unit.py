# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit of a server, through the socket `gate` of `ndks service`: a connection for work, one that tells of changes.

Whatever is wrong is tried again until it is right.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import ndks.aio
from ndks.driver import service_verbs
from ndks.driver.held import socket_beside
from ndks.driver.program_keys import OwnNumber
from ndks.exceptions import DeviceError, NdksError, NoUnit, ProtocolError, SeveralUnits, UnitRemoved
from ndks.line.discovery import ENVIRONMENT
from ndks.line.services import service_directories
from ndks.line.transport import SERVICE
from ndks.system_errors import file_error
from ndks.times import DEFAULT_TIMEOUT
from ndks_protocol import errors

from .unit import Presence

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_SCOPE = "gate"
_PAUSE = 1.0  # seconds between attempts to reach the service
_LOOK_AGAIN = 5.0  # seconds after which a unit is asked again that is there and cannot be used
_CLOSED = (UnitRemoved, ProtocolError)  # after which a connection is of no use


class UnitAway(NdksError):
    """The unit, or the service that holds it, is not at hand."""

    code = "UNIT_AWAY"
    exit_status = 3


class HeldUnit:
    """A unit that comes and goes; `run` keeps the connections. `away` says why it cannot be used, None: it can."""

    def __init__(self, unit: str | None, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.presence: Presence | None = None
        self.changes = 0
        self.away: NdksError | None = NoUnit("the unit was not seen yet")
        self._unit = unit
        self._timeout = max(timeout, DEFAULT_TIMEOUT)  # a WATCH without news is answered after 8 s
        self._work: ndks.aio.Unit | None = None
        self._is_broken = asyncio.Event()
        self._changed = asyncio.Event()

    async def wait_change(self, known: int) -> int:
        """Return `changes` as soon as it is another number than this one."""
        while self.changes == known:
            await self._changed.wait()
        return self.changes

    async def chunk(self, epoch: int, n: int, offset: int, size: int) -> bytes:
        """Return bytes of the exported key n of lane 0 of an epoch, at most 1024. DeviceError; UnitAway."""
        bits = 8 * (offset + size)
        blocks = await self._call(
            lambda unit: unit.run(lambda opened: [*opened.stream_key(n, bits, epoch=epoch, offset=offset)])
        )
        return b"".join(blocks)

    async def take_number(self) -> OwnNumber:
        """Use up an own number. DeviceError, UnitAway."""
        return await self._call(lambda unit: unit.take_number())

    async def renew(self) -> int:
        """Begin the next epoch of the whole network, and return it. DeviceError, UnitAway."""
        return await self._call(lambda unit: unit.renew())

    async def _call(self, verb: Callable[[ndks.aio.Unit], Awaitable[_T]]) -> _T:
        unit = self._work
        if not unit or self.away:
            raise _away(self.away)
        try:
            return await verb(unit)
        except _CLOSED as error:
            self._is_broken.set()
            raise _away(error) from None
        except NdksError as error:
            if isinstance(error, DeviceError) and error.number != errors.SESSION_ENDED:
                raise
            raise _away(error) from None

    async def run(self) -> None:
        """Keep the unit at hand until this is cancelled."""
        while True:
            try:
                await self._stay()
            except NdksError as error:
                self._lose(error)
            except OSError as error:
                self._lose(file_error(error))
            await asyncio.sleep(_PAUSE)

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
                await self._learn(work, said)
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

    async def _learn(self, work: ndks.aio.Unit, said: service_verbs.Presence) -> None:
        """Learn the unit's state after a change. NdksError: it cannot be used."""
        if not said.present:
            raise NoUnit("the unit is not plugged in", "plug it in")
        status = await work.unlock()
        former, was_away = self.presence, self.away
        self.presence = Presence(status.epoch, said.revoked, said.beacon_age)
        self.away = None
        if was_away:
            _log.info("unit %s is there", work.hello.serial_number)
        if was_away or not former or former.epoch != status.epoch or former.revoked != said.revoked:
            self._tell()

    def _lose(self, why: NdksError) -> None:
        if not self.away or str(self.away) != str(why):
            _log.warning("%s: %s; the server goes on when the unit can be used", why.code, why)
            self.away, self.presence = why, None
            self._tell()

    def _tell(self) -> None:
        self.changes += 1
        self._changed.set()
        self._changed = asyncio.Event()


def socket_of(unit: str | None) -> str:
    """Return unix:PATH of the service for a unit: serial number, port, unix:PATH, or None: the only one.

    NoUnit: no service holds it; SeveralUnits.
    """
    unit = unit or os.environ.get(ENVIRONMENT) or None
    if unit and unit.startswith(SERVICE):
        return unit
    found = [directory / _SCOPE for directory in service_directories() if (directory / _SCOPE).is_socket()]
    if unit:
        names = {unit.upper(), Path(socket_beside(unit)).parent.name}
        found = [path for path in found if path.parent.name in names][:1]
    if not found:
        advice = "start one: ndks service --unit PORT; ndks service status shows those that run"
        raise NoUnit(f"no service holds {f'unit {unit}' if unit else 'a unit'}, or not for this user", advice)
    if len(found) > 1:
        names = ", ".join(path.parent.name for path in found)
        raise SeveralUnits(f"services hold several units: {names}", "name one: --unit SERIAL")
    return f"{SERVICE}{found[0]}"


def _away(why: NdksError | None) -> UnitAway:
    return UnitAway(str(why), why.advice) if why else UnitAway("the unit is being opened")
