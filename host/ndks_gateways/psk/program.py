# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks psk` from start to end: gives a consumer each key in its time, and tries again if it does not take it."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from ndks.exceptions import DeviceError, NdksError
from ndks.notify import notify
from ndks.system_errors import file_errors
from ndks_protocol import errors

from ..held import UnitAway, unit_away
from ..key_unit import Presence
from ..keys.epochs import Settled
from ..keys.ranges import NAMED
from . import programs
from .consumer import Consumer
from .rotation import SIZE, Given, Step, key_of, number_at, offset_of

_log = logging.getLogger(__name__)

_LOOK_AGAIN = 5.0  # seconds until a consumer that failed is tried again, and one that took a key is looked at
_GONE = (errors.EPOCH, errors.CUT)

Told = Callable[[Step], None]


class PskUnit(Protocol):
    """What is needed of a unit, which comes and goes. `chunk`: DeviceError, UnitAway."""

    @property
    def presence(self) -> Presence | None: ...
    @property
    def away(self) -> NdksError | None: ...
    @property
    def changes(self) -> int: ...
    async def wait_change(self, known: int) -> int: ...
    async def chunk(self, epoch: int, n: int, offset: int, size: int) -> bytes: ...
    async def run(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """What both sites call the key, and how many seconds it lasts; with `number`, that key alone."""

    name: str
    every: int
    number: int | None = None
    clock: Callable[[], float] = time.time

    def present(self) -> int:
        """Return the number of the present key."""
        return number_at(self.clock(), self.every) if self.number is None else self.number

    def left(self) -> float:
        """Return the seconds until the next number."""
        return self.every - self.clock() % self.every


class Rotation:
    """Gives the keys of a unit to a consumer. `told` hears of each one that the consumer has taken."""

    def __init__(self, unit: PskUnit, consumer: Consumer, schedule: Schedule, told: Told) -> None:
        self._unit = unit
        self._consumer = consumer
        self._schedule = schedule
        self._told = told
        self._settled = Settled()
        self._given: Given | None = None
        self._complaint = ""

    async def once(self, patience: float) -> None:
        """Give the present key as soon as the unit is there, within `patience` seconds. NdksError, OSError."""
        with contextlib.suppress(TimeoutError):  # then `step` says what is missing
            async with asyncio.timeout(patience):
                while not self._unit.presence:
                    await self._unit.wait_change(self._unit.changes)
        await self._follow()

    async def run(self) -> None:
        """Give each key in its time, until this is cancelled. Whatever fails is tried again."""
        while True:
            changes = self._unit.changes
            try:
                with file_errors():
                    await self._follow()
                self._complaint = ""
            except UnitAway:
                pass  # the unit itself has told of it
            except NdksError as error:
                self._complain(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_LOOK_AGAIN, self._schedule.left())):
                    await self._unit.wait_change(changes)

    async def _follow(self) -> None:
        """Give the present key, if the consumer does not have it. NdksError, OSError."""
        given = self._given
        if not given or given.step != self._step():
            given = await self._read()
        elif await asyncio.to_thread(self._consumer.has, given):
            return
        await asyncio.to_thread(self._consumer.give, given)
        self._given = given
        _log.info("%s has key %s of %s", self._consumer.name, given.step.label, self._schedule.name)
        self._told(given.step)

    def _step(self) -> Step:
        """Return the step that both sites are at, as far as this one has heard. UnitAway."""
        presence = self._unit.presence
        if not presence:
            raise unit_away(self._unit.away)
        now = asyncio.get_running_loop().time()
        return Step(self._settled.epoch(presence.epoch, presence.revoked, now), self._schedule.present())

    async def _read(self) -> Given:
        """Read the present key from the unit. DeviceError, UnitAway."""
        step = self._step()
        try:
            exported = await self._unit.chunk(step.epoch, NAMED, offset_of(step.number), SIZE)
        except DeviceError as error:
            if error.number not in _GONE:
                raise
            self._settled.refuse()
            step = Step(self._step().epoch, step.number)
            exported = await self._unit.chunk(step.epoch, NAMED, offset_of(step.number), SIZE)
        return Given(step, key_of(exported, self._schedule.name))

    def _complain(self, error: NdksError) -> None:
        if self._complaint != str(error):
            self._complaint = str(error)
            _log.warning("%s: %s; this is tried again. Do: %s", error.code, error, error.advice)


async def give_once(unit: PskUnit, consumer: Consumer, schedule: Schedule, told: Told, patience: float) -> None:
    """Give a consumer the present key, if the unit is there within `patience` seconds. NdksError, OSError."""
    await _beside(unit.run(), Rotation(unit, consumer, schedule, told).once(patience))


async def rotate(unit: PskUnit, consumer: Consumer, schedule: Schedule, told: Told) -> None:
    """Give a consumer its keys until SIGTERM or SIGINT."""
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)

    def taken(step: Step) -> None:
        notify("READY=1")
        told(step)

    rotation = asyncio.create_task(Rotation(unit, consumer, schedule, taken).run())
    await _beside(unit.run(), _first_of(rotation, asyncio.create_task(end.wait())))


async def _first_of(*tasks: "asyncio.Task[Any]") -> None:
    """Return when one of the tasks has ended, and end the others."""
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    notify("STOPPING=1")
    for each in pending:
        each.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for each in done:
        each.result()


async def _beside(loop: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None]) -> None:
    """Do some work while a loop runs."""
    beside = asyncio.create_task(loop)
    programs.ending.clear()
    try:
        await work
    finally:
        programs.ending.set()
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)
