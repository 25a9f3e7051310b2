# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Finds the socket `gate` of the service that holds a unit: a gateway shares its unit with other programs."""

import os
from pathlib import Path

from ndks.driver.held import socket_beside
from ndks.exceptions import NoUnit, SeveralUnits
from ndks.line.discovery import ENVIRONMENT
from ndks.line.services import served, service_directories
from ndks.line.transport import SERVICE

_SCOPE = "gate"
_HOW = "start one: ndks service --unit PORT; ndks service status shows those that run"


def socket_of(unit: str | None) -> str:
    """Return unix:PATH of the service for a unit: serial number, port, unix:PATH, or None: the only one.

    NoUnit: no service holds it; SeveralUnits.
    """
    unit = unit or os.environ.get(ENVIRONMENT) or None
    if unit and unit.startswith(SERVICE):
        return unit
    directories = dict.fromkeys(service_directories())  # those of this user and of the system may be the same
    names = {unit.upper(), Path(socket_beside(unit)).parent.name} if unit else set[str]()
    found = served(directory / _SCOPE for directory in directories if not unit or directory.name in names)
    if unit:
        del found[1:]
    if not found:
        raise NoUnit(f"no service holds {f'unit {unit}' if unit else 'a unit'}, or none for this user", _HOW)
    if len(found) > 1:
        names = ", ".join(path.parent.name for path in found)
        raise SeveralUnits(f"services hold several units: {names}", "name one: --unit SERIAL")
    return f"{SERVICE}{found[0]}"
