# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An agent from its start to its end: unit, store, carriers, socket."""

import contextlib
import secrets
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import ndks

from ...carriers.opening import open_carrier
from ...driver.network_verbs import NetworkUnit
from ...line.services import service_directories
from ...line.transport import SERVICE
from ...system_errors import file_errors
from ..store import Store
from . import places
from .loop import Loop
from .notify import notify
from .office import Office
from .programs import Programs, listening

_SCOPE = "agent"
_IDENTITY = "identity"

Started = Callable[[str, Path], object]  # takes the serial number of the unit and the path of the socket


class Program:
    """The agent of a unit, which is a port, a serial number, or None: the only one.

    `public` is the administrators' key, or b""; `office` is there if this is an administrator's agent.
    """

    def __init__(
        self,
        unit: str | None,
        timeout: float,
        urls: Sequence[str],
        public: bytes,
        tick: float,
        office: Office | None = None,
    ) -> None:
        self._port = port_of(unit)
        self._timeout = timeout
        self._urls = urls
        self._public = public
        self._tick = tick
        self._office = office
        self._loop: Loop | None = None

    def run(self, started: Started) -> None:
        """Run until `end`; `started` is called when the socket is there. NdksError; afterwards only for carriers."""
        with self._opened() as (serial_number, _):
            pass
        with file_errors():
            directory = places.prepare(serial_number)
            socket = places.new_socket(serial_number)
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(listening(socket))
            store = stack.enter_context(contextlib.closing(Store(places.store_of(serial_number))))
            carriers = [open_carrier(url, _identity(store), directory) for url in self._urls]
            self._loop = Loop(store, self._open_unit, carriers, self._public, self._tick, self._office)
            Programs(listener, self._loop.inputs).start()
            started(serial_number, socket)
            notify("READY=1")
            self._loop.run()
            notify("STOPPING=1")

    def end(self) -> None:
        """Let `run` return soon; may be called in a signal handler."""
        if self._loop:
            self._loop.inputs.end()

    @contextlib.contextmanager
    def _opened(self) -> Generator[tuple[str, NetworkUnit]]:
        with ndks.open(self._port, self._timeout) as unit:
            unit.unlock()
            yield unit.hello.serial_number, NetworkUnit(unit)

    @contextlib.contextmanager
    def _open_unit(self) -> Generator[NetworkUnit]:
        with self._opened() as (_, unit):
            yield unit


def _identity(store: Store) -> str:
    """Return 16 hex digits that name this agent to carriers, and say nothing else of it."""
    number = store.fact(_IDENTITY)
    if number is None:
        number = secrets.randbits(63)
        with store.step():
            store.note(_IDENTITY, number)
    return f"{number:016x}"


def port_of(unit: str | None) -> str | None:
    """Return the socket of a service for agents, if one holds the unit that is named, or the only one; else `unit`."""
    sockets = [directory / _SCOPE for directory in service_directories() if (directory / _SCOPE).is_socket()]
    named = [path for path in sockets if unit and path.parent.name == unit.upper()]
    chosen = named or (sockets if not unit and len(sockets) == 1 else [])
    return f"{SERVICE}{chosen[0]}" if chosen else unit
