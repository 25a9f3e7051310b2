# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The main loop, on a board and on a PC."""

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
    """Be the unit that this RP2040 is; called by code.py."""
    from .rp2040 import RP2040Board

    board = RP2040Board()
    try:
        serve(board)
    except KeyboardInterrupt:  # at the development console
        board.stop()
        raise
    # After any other exception the watchdog starts the chip again.
