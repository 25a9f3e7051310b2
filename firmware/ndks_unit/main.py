# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The main loop of a unit."""

from . import on_demand
from .dispatcher import Dispatcher
from .fast_bits import tables


def serve(dispatcher: Dispatcher) -> None:
    """Answer requests for ever."""
    tables.release_spare()
    while True:
        dispatcher.poll()


def run() -> None:
    """Run the unit on this RP2040. code.py calls this."""
    from .rp2040 import RP2040Board

    board = RP2040Board()
    try:
        dispatcher = Dispatcher(board)
        on_demand.get("unlinking").unlink_modules()
        serve(dispatcher)
    except KeyboardInterrupt:  # Ctrl-C at the development console
        board.stop()
        raise
    # After any other exception the watchdog resets the chip.
