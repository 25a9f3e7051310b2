# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Open the unit that was asked for, or ask all that are attached who they are."""

from dataclasses import dataclass

from ..exceptions import FileError, NdksError, reason
from ..laptop.bindings import BindingStore
from ..line.discovery import Candidate, candidates, select_port
from ..times import DEFAULT_TIMEOUT
from .answers import Hello, Status
from .running import running_units
from .unit import Unit, open_unit


@dataclass(frozen=True)
class Found:
    """A candidate and what it answered, or why it did not."""

    candidate: Candidate
    hello: Hello | None = None
    status: Status | None = None
    problem: NdksError | None = None
    is_bound_here: bool = False


def open(  # noqa: A001 (it is ndks.open, and says so in its help)
    unit: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    *,
    create: bool = False,
    bindings: BindingStore | None = None,
) -> Unit:
    """Open a unit for this process alone: `with ndks.open() as unit: ...`.

    `unit` is a port ("/dev/ttyACM0", "COM3", "socket://127.0.0.1:7000", "emulator:DIR"), a serial number, or None for
    the one that NDKS_UNIT names, else the only one attached. `timeout` is the longest wait for one answer, in seconds.
    `create` makes a blank emulated unit where emulator:DIR is asked for and there is none. `bindings` are those of this
    laptop and user unless given. No session is opened, and nothing in the unit changes.

    NoUnit, SeveralUnits, UnitBusy, PortPermission, UnitTimeout, UnitRemoved, ProtocolError, VersionMismatch; FileError
    for a user without a home.
    """
    return open_unit(select_port(unit), timeout, create=create, bindings=bindings)


def survey(timeout: float) -> list[Found]:
    """Ask each candidate who it is, emulated units that run here too; one that is busy or silent is reported."""
    boards = {board.port: board for board in candidates()}
    emulated = [Candidate(unit.port, unit.serial_number, directory=unit.directory) for unit in running_units()]
    return [_ask(unit, timeout) for unit in [*boards.values(), *(unit for unit in emulated if unit.port not in boards)]]


def _ask(candidate: Candidate, timeout: float) -> Found:
    try:
        with open_unit(candidate.port, timeout) as unit:
            return Found(candidate, unit.hello, unit.status(unlock=False), is_bound_here=unit.is_bound_here)
    except NdksError as error:
        return Found(candidate, problem=error)
    except OSError as error:  # this laptop's bindings cannot be read
        return Found(candidate, problem=FileError(f"{reason(error)}: {error.filename}"))
