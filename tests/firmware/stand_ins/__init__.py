# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""CircuitPython's modules on a PC, as its sources and measurements on the board show them to behave."""

from .chip import Chip
from .clock import WatchdogReset
from .host import Host, Script

__all__ = ("Chip", "Host", "Script", "WatchdogReset")
