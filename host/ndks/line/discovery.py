# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Discovery of attached units by product string and serial number in the list of ports, then by HELLO.

Emulated units are not searched for.
"""

import contextlib
import logging
import os
from dataclasses import dataclass
from typing import Any

from ndks_protocol.commands import HELLO

from .. import times
from ..exceptions import NdksError, NoUnit, SeveralUnits, reason
from ..paths import at_home
from ..printable import printable
from . import usb
from .link import Link
from .ports import listed_ports
from .transport import SCHEMES, is_port, open_transport

_log = logging.getLogger(__name__)

ENVIRONMENT = "NDKS_UNIT"
_MAKE_ONE = (
    "plug in a unit, or name one (--unit UNIT), or make an emulated one: ndks network new office; "
    "ndks provision office.ndksnet --bind --unit emulator:alice"
)


@dataclass(frozen=True)
class Candidate:
    """The port of a board that is a unit by its product string, or may be one."""

    port: str
    serial_number: str
    says_so: bool = True  # by its product string; where the system hides that string, only HELLO tells
    directory: str = ""  # that of an emulated unit


def candidates() -> list[Candidate]:
    """Return the data port of each attached board."""
    boards: dict[str, list[Any]] = {}
    for port in _ports():
        if _may_be_unit(port):
            boards.setdefault(port.serial_number or port.device, []).append(port)
    # With the development jumper on, a board has two ports: first the console, which must get no data, then the data
    # port.
    return [
        Candidate(ports[-1].device, printable(serial_number), ports[-1].product == usb.PRODUCT)
        for serial_number, ports in boards.items()
    ]


def select_port(wanted: str | None) -> str:
    """Return the port of the wanted unit, or of the only one. NoUnit, SeveralUnits."""
    wanted = _at_home(wanted or os.environ.get(ENVIRONMENT) or "")
    if wanted and is_port(wanted):
        return wanted
    found = candidates()
    if wanted:
        found = [candidate for candidate in found if candidate.serial_number.upper() == wanted.upper()]
    found = [candidate for candidate in found if candidate.says_so or _is_unit(candidate.port)]
    if len(found) == 1:
        return found[0].port
    if found:
        listing = ", ".join(f"{candidate.serial_number} at {candidate.port}" for candidate in found)
        raise SeveralUnits(f"{len(found)} units are attached: {listing}", f"choose with --unit or {ENVIRONMENT}")
    what = f"no unit {wanted}" if wanted else "no unit"
    trouble = "; ".join(usb.problems(usb.attached()))
    raise NoUnit(
        f"{what} is attached" + (f" ({trouble})" if trouble else ""),
        "plug it in, or see which units there are: ndks list" if wanted else _MAKE_ONE,
    )


def _at_home(name: str) -> str:
    scheme = next((scheme for scheme in SCHEMES if name.startswith(scheme)), "")
    return scheme + at_home(name.removeprefix(scheme))


def _is_unit(port: str) -> bool:
    try:
        with contextlib.closing(Link(open_transport(port, times.PROBE_TIMEOUT), times.PROBE_TIMEOUT)) as link:
            link.call_raw(HELLO)
    except NdksError:
        return False
    return True


def _ports() -> list[Any]:
    try:
        return listed_ports()
    except OSError as error:
        _log.warning("%s", reason(error))
        return []


def _may_be_unit(port: Any) -> bool:
    # Windows shows the name of its driver in place of the product string: there the vendor id must suffice.
    return port.product == usb.PRODUCT or (port.vid == usb.CIRCUITPYTHON_VID and os.name == "nt")
