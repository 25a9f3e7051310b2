# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units whose port a service holds: its socket in place of the port."""

import contextlib
import os
from pathlib import Path

from ..files import read_small
from ..line.discovery import candidates
from ..line.services import socket_of
from ..line.transport import EMULATOR
from .running import running_units


def socket_beside(port: str) -> str:
    """Return the port of a service that holds the unit at `port`, or ""."""
    serial_number = _serial_number_at(port)
    return socket_of(serial_number) if serial_number else ""


def _serial_number_at(port: str) -> str:
    if port.startswith(EMULATOR):
        with contextlib.suppress(OSError, ValueError):
            return read_small(Path(port.removeprefix(EMULATOR), "uid")).decode().strip()
        return ""
    units = [*candidates(), *running_units()]
    return next((unit.serial_number for unit in units if _is_same(unit.port, port)), "")


def _is_same(one: str, other: str) -> bool:
    return one == other or os.path.realpath(one) == os.path.realpath(other)
