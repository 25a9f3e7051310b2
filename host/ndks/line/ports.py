# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The system's list of serial ports."""

import time
from typing import Any

from serial.tools import list_ports

_ATTEMPTS = 2
_PAUSE = 0.1  # seconds, for the system to notice


def listed_ports() -> list[Any]:
    """Return the ports as pyserial describes them, sorted by place, then as numbers. OSError when it fails.

    It reads one file after another: a device that is pulled meanwhile makes it raise TypeError, ValueError and others.
    It is not there then, which another look shows.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return sorted(list_ports.comports(), key=_place)
        except Exception as error:
            if attempt == _ATTEMPTS:
                raise OSError(f"the list of serial ports cannot be had: {type(error).__name__}: {error}") from error
            time.sleep(_PAUSE)
    raise AssertionError


def _place(port: Any) -> tuple[str, int, str]:
    return (port.location or "", len(port.device), port.device)
