# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Opening of the chosen unit, and a survey of all attached units."""

import os
from dataclasses import dataclass
from pathlib import Path

from ..exceptions import FileError, NdksError, NoUnit, reason
from ..laptop.bindings import BindingStore
from ..line.discovery import ENVIRONMENT, Candidate, candidates, select_port
from ..line.emulated import port_beside
from ..line.services import socket_of
from ..line.transport import EMULATOR
from ..times import DEFAULT_TIMEOUT
from .answers import Hello, Status
from .running import running_units
from .unit import Unit, open_unit


@dataclass(frozen=True)
class Found:
    """A candidate with its answers, or with the error that it caused."""

    candidate: Candidate
    hello: Hello | None = None
    status: Status | None = None
    problem: NdksError | None = None
    is_bound_here: bool = False


def open(  # noqa: A001 (ndks.open)
    unit: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    *,
    create: bool = False,
    bindings: BindingStore | None = None,
) -> Unit:
    """Open a unit: `with ndks.open() as unit: ...`. Without a service it is for this process alone.

    `unit` is a port ("/dev/ttyACM0", "COM3", "socket://127.0.0.1:7000", "emulator:DIR", "unix:PATH" of a service), a
    serial number, or None for the unit in NDKS_UNIT, or else the only one attached. If a service holds the unit, it is
    used through the service. `timeout` is the longest wait for one answer, in seconds.
    `create` makes a blank emulated unit if emulator:DIR has none. `bindings` defaults to the store of this user. No
    session is opened, and nothing in the unit changes.

    NoUnit, SeveralUnits, UnitBusy, PortPermission, UnitTimeout, UnitRemoved, ProtocolError, VersionMismatch; FileError
    for a user without a home directory.
    """
    return open_unit(port_or_socket(unit), timeout, create=create, bindings=bindings)


def port_or_socket(unit: str | None) -> str:
    """Return the port of the wanted unit, or the socket of a service for it, which may run elsewhere."""
    try:
        return find_port(unit)
    except NoUnit:
        socket = socket_of(unit or os.environ.get(ENVIRONMENT) or "")
        if not socket:
            raise
        return socket


def find_port(unit: str | None) -> str:
    """Return the port of the wanted unit, or of the only one attached; an emulated unit that runs must be named.

    NoUnit, SeveralUnits.
    """
    try:
        return select_port(unit)
    except NoUnit as error:
        running = running_units()
        wanted = (unit or os.environ.get(ENVIRONMENT) or "").upper()
        port = next((other.port for other in running if other.serial_number.upper() == wanted), "")
        if port:
            return port
        if not running:
            raise
        listing = ", ".join(f"{other.serial_number} at {other.port}" for other in running)
        raise NoUnit(f"{error}; emulated units run: {listing}", f"name one: --unit {running[0].port}") from None


def units_here() -> list[str]:
    """Return the names of emulated units in the current directory."""
    return [f"{EMULATOR}{path.parent.name}" for path in sorted(Path.cwd().glob("*/nvm.bin"))]


def survey(timeout: float) -> list[Found]:
    """Greet every candidate and running emulated unit; report the busy and silent ones and go on."""
    boards = {board.port: board for board in candidates()}
    emulated = [Candidate(unit.port, unit.serial_number, directory=unit.directory) for unit in running_units()]
    return [_ask(unit, timeout) for unit in [*boards.values(), *(unit for unit in emulated if unit.port not in boards)]]


def port_of(serial_number: str, beside: str) -> str:
    """Return the port of a unit that is attached, runs, or is emulated in a directory beside a port's, or ""."""
    units = [*candidates(), *running_units()]
    found = next((unit.port for unit in units if unit.serial_number.upper() == serial_number.upper()), "")
    return found or port_beside(beside, serial_number)


def _ask(candidate: Candidate, timeout: float) -> Found:
    try:
        with open_unit(candidate.port, timeout) as unit:
            return Found(candidate, unit.hello, unit.status(unlock=False), is_bound_here=unit.is_bound_here)
    except NdksError as error:
        return Found(candidate, problem=error)
    except OSError as error:  # the bindings of this laptop cannot be read
        return Found(candidate, problem=FileError(f"{reason(error)}: {error.filename}"))
