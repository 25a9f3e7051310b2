# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Find attached units: by product string and serial number in the list of ports, then by HELLO.

Emulated units are never looked for.
"""

import logging
import os
from dataclasses import dataclass
from typing import Any

from . import usb
from .answers import Hello, Status
from .binding_store import BindingStore
from .exceptions import FileError, NdksError, NoUnit, SeveralUnits, reason
from .ports import listed_ports
from .printable import printable
from .transport import EMULATOR, meant_address
from .unit import DEFAULT_TIMEOUT, Unit, open_unit

_log = logging.getLogger(__name__)

ENVIRONMENT = "NDKS_UNIT"
_PROBE_TIMEOUT = 2.0  # seconds


@dataclass(frozen=True)
class Candidate:
    """A port that belongs to a board which calls itself a unit, or may be one."""

    port: str
    serial_number: str
    says_so: bool = True  # by its product string; some systems hide that, and only HELLO tells


@dataclass(frozen=True)
class Found:
    """A candidate and what it answered, or why it did not."""

    candidate: Candidate
    hello: Hello | None = None
    status: Status | None = None
    problem: NdksError | None = None
    is_bound_here: bool = False


def candidates() -> list[Candidate]:
    """Return the data port of each attached board, one a board."""
    boards: dict[str, list[Any]] = {}
    for port in _ports():
        if _may_be_unit(port):
            boards.setdefault(port.serial_number or port.device, []).append(port)
    # With the development jumper on there are two ports: the console, which must not be written to, then the data port.
    return [
        Candidate(ports[-1].device, printable(serial_number), ports[-1].product == usb.PRODUCT)
        for serial_number, ports in boards.items()
    ]


def survey(timeout: float) -> list[Found]:
    """Ask each candidate who it is; one that is busy or silent is reported and does not stop the search."""
    return [_ask(candidate, timeout) for candidate in candidates()]


def select_port(wanted: str | None) -> str:
    """Return the port of the unit that was asked for, or of the only one there is. NoUnit, SeveralUnits."""
    wanted = wanted or os.environ.get(ENVIRONMENT)
    if wanted and _is_port(wanted):
        return wanted
    found = candidates()
    if wanted:
        found = [candidate for candidate in found if candidate.serial_number.upper() == wanted.upper()]
    found = [candidate for candidate in found if candidate.says_so or _ask(candidate, _PROBE_TIMEOUT).hello]
    if len(found) == 1:
        return found[0].port
    if found:
        listing = ", ".join(f"{candidate.serial_number} at {candidate.port}" for candidate in found)
        raise SeveralUnits(f"{len(found)} units are attached: {listing}", f"choose with --unit or {ENVIRONMENT}")
    what = f"no unit {wanted}" if wanted else "no unit"
    trouble = "; ".join(usb.problems(usb.attached()))
    raise NoUnit(
        f"{what} is attached" + (f" ({trouble})" if trouble else ""),
        "plug one in, or name one: --unit PORT, or --unit emulator:DIR for an emulated unit",
    )


def find_unit(
    wanted: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    *,
    create: bool = False,
    bindings: BindingStore | None = None,
) -> Unit:
    """Open the unit that was asked for: a port, a serial number, or None for the only one.

    `create` makes a blank emulated unit where emulator:DIR was asked for and there is none. `timeout` is the longest
    wait for one answer, in seconds; `bindings` are this user's unless given.
    NoUnit, SeveralUnits, UnitBusy, PortPermission, UnitTimeout, VersionMismatch.
    """
    return open_unit(select_port(wanted), timeout, create=create, bindings=bindings)


def _ask(candidate: Candidate, timeout: float) -> Found:
    try:
        with open_unit(candidate.port, timeout) as unit:
            return Found(candidate, unit.hello, unit.status(), is_bound_here=unit.is_bound_here)
    except NdksError as error:
        return Found(candidate, problem=error)
    except OSError as error:  # this laptop's bindings cannot be read
        return Found(candidate, problem=FileError(f"{reason(error)}: {error.filename}"))


def _ports() -> list[Any]:
    try:
        return listed_ports()
    except OSError as error:
        _log.warning("%s", reason(error))
        return []


def _may_be_unit(port: Any) -> bool:
    # Windows hides the product string behind its driver's name: there the vendor id has to do.
    return port.product == usb.PRODUCT or (port.vid == usb.CIRCUITPYTHON_VID and os.name == "nt")


def _is_port(name: str) -> bool:
    looks_so = name.startswith(EMULATOR) or "/" in name or name.upper().startswith("COM") or meant_address(name)
    return bool(looks_so) or os.path.lexists(name)  # also a link whose port is gone
