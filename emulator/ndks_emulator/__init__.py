# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Emulator of a unit on a PC: the unmodified firmware on a `Board` with simulated flash."""

from .directory import UnitDirectory
from .flash import Flash, MemoryFlash
from .lines import Line, PtyLine, TcpLine
from .locked_directory import (
    CHIP,
    UNIT,
    DirectoryError,
    DirectoryInUse,
    LockedDirectory,
    NoUnitThere,
    OtherKind,
    kind_of,
)
from .memory import MemoryUnit, SetClock
from .port_link import PortLink
from .power import Power, PowerCut
from .powered import NotNow, Powered
from .running_unit import RunningUnit

__all__ = (
    "CHIP",
    "DirectoryError",
    "DirectoryInUse",
    "Flash",
    "Line",
    "LockedDirectory",
    "MemoryFlash",
    "MemoryUnit",
    "NoUnitThere",
    "NotNow",
    "OtherKind",
    "PortLink",
    "Power",
    "PowerCut",
    "Powered",
    "PtyLine",
    "RunningUnit",
    "SetClock",
    "TcpLine",
    "UNIT",
    "UnitDirectory",
    "kind_of",
)
