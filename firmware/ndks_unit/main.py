# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The main loop of a unit."""

from .board import Board
from .dispatcher import Dispatcher
from .fast_bits import tables


def serve(board: Board) -> None:
    """Answer requests for ever."""
    dispatcher = Dispatcher(board)
    tables.release_spare()
    while True:
        dispatcher.poll()


def run() -> None:
    """Run the unit on this RP2040. code.py calls this."""
    from .rp2040 import RP2040Board

    board = RP2040Board()
    try:
        serve(board)
    except KeyboardInterrupt:  # Ctrl-C at the development console
        board.stop()
        raise
    # After any other exception the watchdog resets the chip.
