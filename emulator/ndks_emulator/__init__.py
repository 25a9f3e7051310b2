# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit on a PC: the firmware's own code on a `Board` whose flash lies in a directory."""

from .directory import DirectoryError, DirectoryInUse, NoUnitThere, UnitDirectory
from .emulator import InProcessUnit
from .lines import Line, PtyLine, TcpLine
from .link import Link
from .machine import Machine
from .memory import MemoryBoard
from .power import Power, PowerCut

__all__ = (
    "DirectoryError",
    "DirectoryInUse",
    "InProcessUnit",
    "Line",
    "Link",
    "Machine",
    "MemoryBoard",
    "NoUnitThere",
    "Power",
    "PowerCut",
    "PtyLine",
    "TcpLine",
    "UnitDirectory",
)
