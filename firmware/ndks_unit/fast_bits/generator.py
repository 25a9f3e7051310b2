# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Selection of the algorithm for a network. Only the selected module is imported."""

from .phases import Phases
from .tables import find

try:
    from typing import Callable

    from ..board import KeyGenerator
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def fast_generator(p1: str, p2: str, digits: int, folder: str, feed_watchdog: "Callable[[], None]") -> "KeyGenerator":
    """Return a generator that feeds the watchdog; `folder` has the tables. ValueError as in `Generator`."""
    tables = find(folder, digits)
    phases = Phases(p1, p2, digits, feed_watchdog)
    if tables:
        from .table_bits import TableGenerator

        return TableGenerator(phases, tables)
    # Without a valid table the bits are the same, but slower.
    from .lane_bits import LaneGenerator

    return LaneGenerator(phases)


def prepare(digits: int, folder: str) -> None:
    """Load the tables or the module for this d while the heap has room."""
    if find(folder, digits):
        from . import table_bits  # noqa: F401  # pyright: ignore[reportUnusedImport] (loaded, not used)
    else:
        from . import lane_bits  # noqa: F401  # pyright: ignore[reportUnusedImport]
