# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Emulator of a unit on a PC: the unmodified firmware on a `Board` with simulated flash."""

from .directory import DirectoryError, DirectoryInUse, NoUnitThere, UnitDirectory
from .flash import Flash, MemoryFlash
from .lines import Line, PtyLine, TcpLine
from .memory import MemoryUnit, SetClock
from .port_link import PortLink
from .power import Power, PowerCut
from .running_unit import RunningUnit

__all__ = (
    "DirectoryError",
    "DirectoryInUse",
    "Flash",
    "Line",
    "MemoryFlash",
    "MemoryUnit",
    "NoUnitThere",
    "PortLink",
    "Power",
    "PowerCut",
    "PtyLine",
    "RunningUnit",
    "SetClock",
    "TcpLine",
    "UnitDirectory",
)
