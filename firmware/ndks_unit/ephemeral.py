# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An X25519 key pair for one use, made in advance (PROTOCOL.md section 6).

Strategy: a pair takes a board 0.3 s, which the next session need not wait for. The unit chooses the private key when a
session ends, and computes the public key while it is idle, in steps that delay no request. The modules for that stay in
the heap only until then, and never during a session.
"""

from ndks_protocol.kdf import wipe
from ndks_protocol.session import PUBLIC_KEY_SIZE

from . import on_demand
from .board import Board

try:
    from typing import Callable

    from ndks_protocol.curve25519 import Multiplication
except ImportError:  # on the board, which has no typing, and loads the other one on demand
    pass

_STEPS_BETWEEN_COLLECTIONS = 4  # leave 12 KB of garbage


class EphemeralPair:
    """The pair that `on_demand.key_agreement` uses next."""

    def __init__(self, board: Board, draw: "Callable[[], bytes]"):
        self._board = board
        self._draw = draw
        self.private = bytearray(PUBLIC_KEY_SIZE)
        self.public = bytearray(PUBLIC_KEY_SIZE)
        self.is_ready = False
        self.making: "Multiplication | None" = None
        self._steps = 0  # since the last collection of garbage

    def begin(self) -> None:
        """Choose a private key and load what makes its public key. MemoryError; UnitError(STORAGE)."""
        self.private[:] = self._draw()
        _, module = on_demand.load("ndks_protocol.curve25519", "ndks_protocol.public_key")
        self.making = module.PublicKey(self.private, self._board.entropy(PUBLIC_KEY_SIZE))

    def prepare(self) -> None:
        """Begin a pair if there is none, and if the heap has room: otherwise it is made when it is used."""
        try:
            if not self.is_ready and not self.making:
                self.begin()
        except Exception:
            self.wipe()

    def advance(self) -> None:
        """Work for 10 ms at most. Call this while no request waits."""
        if self._steps >= _STEPS_BETWEEN_COLLECTIONS or (self._steps and not self.making):
            self._steps = 0
            self._board.tidy()
        elif self.making:
            self._steps += 1
            try:
                if not self.making.step():
                    self.complete(self.making)
            except MemoryError:
                self.wipe()  # the next use starts again: this step may have been done in part

    def complete(self, made: "Multiplication") -> None:
        """Take over the public key after the last step."""
        self.public[:] = made.result()
        made.wipe()
        self.making = None
        self.is_ready = True

    def wipe(self) -> None:
        """Overwrite the pair."""
        if self.making:
            self.making.wipe()
        self.making = None
        self.is_ready = False
        wipe(self.private)
        wipe(self.public)
