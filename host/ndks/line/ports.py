# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The system's list of serial ports."""

from typing import Any

from serial.tools import list_ports

from .. import times
from ..retry import retry


def listed_ports() -> list[Any]:
    """Return the ports as pyserial describes them, sorted by place, then as numbers. OSError when it fails.

    It reads one file after another: a device that is pulled meanwhile makes it raise TypeError, ValueError and others.
    It is not there then, which another look shows.
    """
    try:
        return retry(lambda: sorted(list_ports.comports(), key=_place), lambda _: True, times.PORT_LISTING)
    except Exception as error:
        raise OSError(f"the list of serial ports cannot be had: {type(error).__name__}: {error}") from error


def _place(port: Any) -> tuple[str, int, str]:
    return (port.location or "", len(port.device), port.device)
