# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit of a gateway, through the socket `gate` of `ndks service`.

Two connections: one for work, one on which the service tells of changes. Opening a message accepts nothing, so no flash
is written: what stops replays is the challenge of each link.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import TypeVar

import ndks.aio
from ndks.driver.service_verbs import Presence
from ndks.exceptions import DeviceError, NdksError, NoUnit, ProtocolError, UnitRemoved
from ndks.system_errors import file_error
from ndks.times import DEFAULT_TIMEOUT
from ndks_protocol import errors

from ..tunnel.doors import KEPT_EPOCHS, Door, epoch_door
from ..tunnel.errors import Reflected
from ..tunnel.steps import Ahead, Behind, MessageKeys, OpenedKeys
from .unit_socket import socket_of

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_RANDOM = SystemRandom()
_DOOR = 1 << 47  # the exported key of which doors are made: the first that is for gateways
_DOOR_BITS = 256
_PAUSES = 0.1, 0.2, 0.5, 1.0, 2.0, 5.0  # seconds between attempts to reach the service
_LOOK_AGAIN = 5.0  # seconds after which a unit is asked again that is there and cannot be used
_BEHIND = (errors.HEADER, errors.TOO_FAR)  # of a header from behind a right door: of a later generation or epoch
_AHEAD = (errors.CUT, errors.TOO_OLD)  # with leave for any number: of a generation, or an epoch, that was given up
_CLOSED = (UnitRemoved, ProtocolError)  # after which a connection is of no use


class UnitAway(NdksError):
    """The unit, or the service that holds it, is not at hand; the gate goes on looking for it."""

    code = "UNIT_AWAY"
    exit_status = 3


class Gate:
    """Keys of messages and doors of epochs, for the tunnel `name`; `run` keeps the connections to the service.

    `unit` is a serial number, a port, unix:PATH, or None: the only one that a service holds. `away` says why the unit
    cannot be used, None: it can. `lane`, `epoch` and `serial_number` are known once it was there.
    """

    def __init__(self, unit: str | None, name: str, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.away: NdksError | None = NoUnit("the unit was not seen yet")
        self.away_since = time.time()
        self.lane: int | None = None
        self.epoch = 0
        self.serial_number = ""
        self.changes = 0  # grows whenever the unit comes or goes, or enters an epoch
        self._unit = unit
        self._name = name
        self._timeout = max(timeout, DEFAULT_TIMEOUT)  # a WATCH without news is answered after 8 s
        self._work: ndks.aio.Unit | None = None
        self._is_broken = asyncio.Event()
        self._doors: dict[int, Door] = {}
        self._ahead: asyncio.Task[MessageKeys] | None = None
        self._changed = asyncio.Event()

    @property
    def is_present(self) -> bool:
        """Whether the unit is there, and its lane and its doors are known."""
        return self.away is None

    @property
    def generation(self) -> int:
        """The generation of the present epoch."""
        return self.epoch >> 16

    def doors(self) -> tuple[Door, ...]:
        """The doors of the present epoch and of those before it that the unit keeps, the latest first: at most 9."""
        return tuple(self._doors[epoch] for epoch in sorted(self._doors, reverse=True))

    async def wait_change(self, known: int) -> int:
        """Return `changes` as soon as it is another number than this one."""
        while self.changes == known:
            await self._changed.wait()
        return self.changes

    async def wait_present(self) -> None:
        """Return as soon as the unit is there, and its lane and doors are known."""
        while not self.is_present:
            await self._changed.wait()

    # Verbs

    async def call(self, verb: Callable[[ndks.aio.Unit], Awaitable[_T]]) -> _T:
        """Do something with the unit. UnitAway; DeviceError and others, as the verb."""
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

    async def seal(self) -> MessageKeys:
        """Return the keys of a message that this unit sends; each call has others. UnitAway.

        Those of the next call are taken at once, so that a link waits for a slow unit once less.
        """
        if self.away:
            raise _away(self.away)
        ahead, self._ahead = self._ahead, None
        has_failed = ahead and ahead.done() and (ahead.cancelled() or ahead.exception())
        keys = await (ahead if ahead and not has_failed else self._keys())
        self._take_ahead()
        return keys

    async def open(self, header: bytes) -> OpenedKeys:
        """Return the keys of a message that came from behind a right door, whatever its number is; accept nothing.

        Behind, Ahead (tunnel.steps), Reflected (tunnel.errors); DeviceError REVOKED and others; UnitAway.
        """
        try:
            keys = await self.call(lambda unit: unit.open_message_keys(header, again=True, allow_jump=True))
        except DeviceError as error:
            if error.number in _BEHIND:
                raise Behind(self.generation) from None
            if error.number in _AHEAD:
                raise Ahead from None
            if error.number == errors.REFLECTED:
                raise Reflected("the other end uses the unit of this gateway") from None
            raise
        return OpenedKeys(keys.lane, keys.tag_key, keys.aes_key)

    async def _keys(self) -> MessageKeys:
        try:
            keys = await self.call(lambda unit: unit.message_keys())
        except DeviceError as error:
            raise _away(error) from None
        return MessageKeys(keys.header, keys.tag_key, keys.aes_key)

    def _take_ahead(self) -> None:
        self._drop_ahead()
        self._ahead = asyncio.create_task(self._keys())
        self._ahead.add_done_callback(_retrieved)

    def _drop_ahead(self) -> None:
        if self._ahead:
            self._ahead.cancel()
        self._ahead = None

    # Connections

    async def run(self) -> None:
        """Keep the unit at hand until this is cancelled. Whatever is wrong is tried again."""
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

    async def _stay(self) -> None:
        """Use the service until one of the connections is of no use. NdksError."""
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
                self._drop_ahead()
                for task in (watch, broken):
                    task.cancel()
                await asyncio.gather(watch, broken, return_exceptions=True)

    async def _watch(self, watching: ndks.aio.Unit, work: ndks.aio.Unit) -> None:
        """Learn of each change. NdksError: the connection is of no use any more."""
        presence = await watching.watch()
        while True:
            try:
                await self._learn(work, presence)
            except _CLOSED:
                raise
            except NdksError as error:
                self._lose(error)
            if self.is_present or not presence.present:
                presence = await watching.watch(presence.serial)
                continue
            with contextlib.suppress(TimeoutError):  # it may be unlocked, or get its first generation, without a change
                async with asyncio.timeout(_LOOK_AGAIN):
                    presence = await watching.watch(presence.serial)

    async def _learn(self, work: ndks.aio.Unit, presence: Presence) -> None:
        """Learn the unit's state after a change. NdksError: it cannot be used."""
        self.serial_number = work.hello.serial_number
        if not presence.present:
            raise NoUnit(f"unit {self.serial_number} is not plugged in", "plug it in")
        if self.is_present and presence.epoch == self.epoch:
            return
        status = await work.status()
        await self._read_doors(work, status.epoch)
        is_moved = self.lane is None or status.epoch != self.epoch
        self.lane, self.epoch = status.lane, status.epoch
        if is_moved or self.away:
            self._found()

    async def _read_doors(self, work: ndks.aio.Unit, epoch: int) -> None:
        """Read the door of an epoch, and those of the kept epochs that are not known; drop those that the unit refuses.

        A unit refuses the keys of a past generation in which a lane was a member that is revoked now.
        """
        read: dict[int, Door] = {}
        for each in self._kept(epoch):
            if each in self._doors and each >> 16 == epoch >> 16:
                read[each] = self._doors[each]
                continue
            try:
                key = await work.key(_DOOR, _DOOR_BITS, epoch=each)
            except DeviceError as error:
                if each == epoch or error.number not in (errors.EPOCH, errors.CUT):
                    raise
                continue
            read[each] = epoch_door(key.data, each, self._name)
        self._doors = read

    def _kept(self, epoch: int) -> list[int]:
        """Return the epochs whose doors may be had: of this generation, and the known ones of those before."""
        number = epoch & 0xFFFF
        own = range(epoch, epoch - min(number, KEPT_EPOCHS) - 1, -1)
        earlier = sorted((each for each in self._doors if each >> 16 < epoch >> 16), reverse=True)
        return [*own, *earlier][: KEPT_EPOCHS + 1]

    # State

    def _found(self) -> None:
        if self.away:
            _log.info("unit %s is there: lane %s, epoch %s", self.serial_number, self.lane, _epoch_text(self.epoch))
        else:
            _log.info("unit %s has entered epoch %s", self.serial_number, _epoch_text(self.epoch))
        self.away = None
        self._take_ahead()
        self._tell()

    def _lose(self, why: NdksError) -> None:
        if self.is_present:
            self.away_since = time.time()
        if not self.away or str(self.away) != str(why):
            _log.warning("%s: %s; this tunnel goes on when the unit can be used", why.code, why)
            self.away = why
            self._tell()

    def _tell(self) -> None:
        self.changes += 1
        self._changed.set()
        self._changed = asyncio.Event()


def _away(why: NdksError | None) -> UnitAway:
    return UnitAway(str(why), why.advice) if why else UnitAway("the unit is being opened")


def _retrieved(task: "asyncio.Task[MessageKeys]") -> None:
    if not task.cancelled():
        task.exception()  # who takes the keys gets it; if nobody does, it is no news


def _epoch_text(epoch: int) -> str:
    return f"{epoch & 0xFFFF} of generation {epoch >> 16}"
