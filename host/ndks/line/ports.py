# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""List of serial ports."""

from typing import Any

from serial.tools import list_ports

from .. import times
from ..retry import retry


def listed_ports() -> list[Any]:
    """Return the ports of pyserial, sorted by location, then by number. OSError.

    If a device is unplugged during the listing, pyserial raises TypeError, ValueError or others. A second listing then
    succeeds without the device.
    """
    try:
        return retry(lambda: sorted(list_ports.comports(), key=_place), lambda _: True, times.PORT_LISTING)
    except Exception as error:
        raise OSError(f"the serial ports cannot be listed: {type(error).__name__}: {error}") from error


def _place(port: Any) -> tuple[str, int, str]:
    return (port.location or "", len(port.device), port.device)
