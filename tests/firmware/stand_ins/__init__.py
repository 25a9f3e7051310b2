# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Models of CircuitPython's modules on a PC, after its sources and measurements on a board."""

from .chip import Chip
from .clock import WatchdogReset
from .host import Host, Script

__all__ = ("Chip", "Host", "Script", "WatchdogReset")
