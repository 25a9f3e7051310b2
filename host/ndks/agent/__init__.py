# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The host of a unit in a network: what it keeps, sends, asks for and hands on, without I/O."""

from .agent import Agent
from .limits import Limits
from .store import Store

__all__ = ("Agent", "Limits", "Store")
