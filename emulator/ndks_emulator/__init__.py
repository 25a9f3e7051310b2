# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit on a PC: the firmware's own code on a `Board` whose flash lies in a directory."""

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
