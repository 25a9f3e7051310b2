# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit on a PC: the firmware's own code on a `Board` whose flash lies in a directory."""

from .directory import DirectoryError, DirectoryInUse, NoUnitThere, UnitDirectory
from .emulator import InProcessUnit, serve
from .lines import Line, PtyLine, TcpLine

__all__ = (
    "DirectoryError",
    "DirectoryInUse",
    "InProcessUnit",
    "Line",
    "NoUnitThere",
    "PtyLine",
    "TcpLine",
    "UnitDirectory",
    "serve",
)
