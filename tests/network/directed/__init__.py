# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What chance rarely finds, step by step; each case raises Violation. They run with any side of the world."""

from . import cuts, generations, masters, stores, thieves, wear
from .common import CASES
from .cuts import count_cuts

__all__ = ("CASES", "count_cuts", "cuts", "generations", "masters", "stores", "thieves", "wear")
