# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The choice of an algorithm: each is loaded only where it is used."""

from .phases import Phases
from .tables import find

try:
    from typing import Callable

    from ..board import KeyGenerator
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def fast_generator(p1: str, p2: str, digits: int, folder: str, feed_watchdog: "Callable[[], None]") -> "KeyGenerator":
    """Return a generator that feeds the watchdog itself; `folder` holds the tables. ValueError as Generator."""
    tables = find(folder, digits)
    phases = Phases(p1, p2, digits, feed_watchdog)
    if tables:
        from .table_bits import TableGenerator

        return TableGenerator(phases, tables)
    # A missing or damaged table costs speed, no bit.
    from .lane_bits import LaneGenerator

    return LaneGenerator(phases)


def prepare(digits: int, folder: str) -> None:
    """Load what `fast_generator` will need for this d, as long as the heap has room for it."""
    if find(folder, digits):
        from . import table_bits  # noqa: F401  # pyright: ignore[reportUnusedImport] (loaded, not used)
    else:
        from . import lane_bits  # noqa: F401  # pyright: ignore[reportUnusedImport]
