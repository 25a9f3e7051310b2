# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit on a PC: the firmware's own code on a `Board` whose flash lies in a directory."""

from .directory import DirectoryError, DirectoryInUse, NoUnitThere, UnitDirectory
from .flash import Flash, MemoryFlash
from .lines import Line, PtyLine, TcpLine
from .link import Link
from .machine import Machine
from .memory import MemoryUnit, SetClock
from .power import Power, PowerCut

__all__ = (
    "DirectoryError",
    "DirectoryInUse",
    "Flash",
    "Line",
    "Link",
    "Machine",
    "MemoryFlash",
    "MemoryUnit",
    "NoUnitThere",
    "Power",
    "PowerCut",
    "PtyLine",
    "SetClock",
    "TcpLine",
    "UnitDirectory",
)
