# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An agent from its start to its end: unit, store, carriers, socket."""

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import ndks

from ...carriers.opening import open_carrier
from ...driver.network_verbs import NetworkUnit
from ...exceptions import NoUnit, UnitBusy, UnitRemoved, UnitTimeout, UsageError
from ...line.services import served, service_directories
from ...line.transport import SERVICE
from ...network.member_package import TICK
from ...notify import notify
from ...system_errors import file_errors
from ..limits import Limits
from ..store import Store
from . import places
from .loop import Loop, Settings
from .membership import Membership
from .office import Office
from .programs import Programs, listening

_log = logging.getLogger(__name__)

_SCOPE = "agent"
_IDENTITY = "identity"
_AWAY = NoUnit, UnitBusy, UnitRemoved, UnitTimeout  # what mends itself when the unit, or its service, is there
_PAUSE = 2.0  # seconds between two checks of whether it is

Started = Callable[[str, Path], object]  # takes the unit's serial number and the path of the socket


class Program:
    """The agent of a unit: a port, a serial number, or None for the only one.

    `office` is there if this is an administrator's agent; `tick` is in seconds, None: as its member.json says.
    """

    def __init__(
        self,
        unit: str | None,
        timeout: float,
        urls: Sequence[str],
        tick: float | None = None,
        office: Office | None = None,
        room: int = Limits.arrived_bytes,
    ) -> None:
        self._unit = unit
        self._timeout = timeout
        self._urls = urls
        self._tick = tick
        self._office = office
        self._room = room
        self._serial_number = ""  # of the unit that was there at the start
        self._loop: Loop | None = None

    def run(self, started: Started) -> None:
        """Run until `end`; `started` is called once the unit has been seen and the socket is there.

        NdksError, but not for a unit that is away; after `started` only for the carriers.
        """
        serial_number = self._serial_number = self._first_seen()
        with file_errors():
            directory = places.prepare(serial_number)
            member = self._membership(serial_number)
            socket = places.new_socket(serial_number)
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(listening(socket))
            store = stack.enter_context(contextlib.closing(Store(places.store_of(serial_number))))
            carriers = [open_carrier(url, _identity(store), directory) for url in self._urls]
            settings = Settings(member.signing_key, self._tick or member.tick, self._room)
            self._loop = Loop(store, self._open_unit, carriers, settings, self._office)
            Programs(listener, self._loop.inputs).start()
            started(serial_number, socket)
            notify("READY=1")
            self._loop.run()
            notify("STOPPING=1")

    def end(self) -> None:
        """Let `run` return soon; may be called in a signal handler."""
        if self._loop:
            self._loop.inputs.end()

    def _first_seen(self) -> str:
        """Return the serial number of the unit, as soon as it is there."""
        told = ""
        while True:
            try:
                with self._opened() as (serial_number, _):
                    return serial_number
            except _AWAY as error:
                if str(error) != told:
                    _log.warning("%s: %s; the agent starts when the unit is there", error.code, error)
                told = str(error)
            time.sleep(_PAUSE)

    def _membership(self, serial_number: str) -> Membership:
        """Return what is known of the unit's network. UsageError: the administrator's file is of another one."""
        known = Membership.load(serial_number)
        if not self._office:
            return known or Membership("", TICK, b"")  # an earlier network, which has no administrator
        if known and known.signing_key != self._office.public:
            what = f"unit {serial_number} is a member of {known.network}, and this is another network's administrator"
            raise UsageError(what, "name that network's file, or leave --network out")
        return known or Membership("", TICK, self._office.public)

    @contextlib.contextmanager
    def _opened(self) -> Generator[tuple[str, NetworkUnit]]:
        with ndks.open(port_of(self._unit), self._timeout) as unit:
            unit.unlock()
            yield unit.hello.serial_number, NetworkUnit(unit)

    @contextlib.contextmanager
    def _open_unit(self) -> Generator[NetworkUnit]:
        with self._opened() as (serial_number, unit):
            if serial_number != self._serial_number:
                what = f"unit {serial_number} is in the place of unit {self._serial_number}, whose agent this is"
                raise NoUnit(what, f"plug in unit {self._serial_number}; for the other one start an agent of its own")
            yield unit


def _identity(store: Store) -> str:
    """Return 16 hex digits that name this agent to carriers, and say nothing else about it."""
    number = store.fact(_IDENTITY)
    if number is None:
        number = secrets.randbits(63)
        with store.step():
            store.note(_IDENTITY, number)
    return f"{number:016x}"


def port_of(unit: str | None) -> str | None:
    """Return the socket of a service for agents, if one holds the unit that is named, or the only one; else `unit`."""
    directories = [path for path in service_directories() if not unit or path.name == unit.upper()]
    sockets = served(directory / _SCOPE for directory in directories)
    return f"{SERVICE}{sockets[0]}" if sockets and (unit or len(sockets) == 1) else unit
