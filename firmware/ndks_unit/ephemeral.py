# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Key pairs of X25519 that a unit uses once, each made ahead of its use (PROTOCOL.md section 6).

Strategy: a pair takes a board 0.3 s, which the next session need not wait for. The unit chooses the private key when it
has used the one before, and computes the public key while it is idle, in steps that delay no request. The modules for
that are in the heap until then only.
"""

from ndks_protocol.kdf import wipe
from ndks_protocol.session import PUBLIC_KEY_SIZE

from . import on_demand
from .board import Board
from .randomness import Randomness

try:
    from ndks_protocol.curve25519 import Multiplication
except ImportError:  # on the board, which loads it on demand
    pass

_CURVE = "ndks_protocol.curve25519"
_PUBLIC_KEY = "ndks_protocol.public_key"
_X25519 = "ndks_protocol.x25519"
_STEPS_AT_ONCE = 16  # between two feeds of the watchdog, when a request waits: 50 ms
_STEPS_BETWEEN_COLLECTIONS = 4  # leave 12 KB of garbage


class EphemeralPair:
    """The pair for the next use."""

    def __init__(self, board: Board, randomness: Randomness):
        self._board = board
        self._randomness = randomness
        self._private = bytearray(PUBLIC_KEY_SIZE)
        self._public = bytearray(PUBLIC_KEY_SIZE)
        self._is_ready = False
        self._making: "Multiplication | None" = None
        self._steps = 0  # since the last collection of garbage

    def begin(self) -> None:
        """Choose a new private key and load what makes its public key. MemoryError; UnitError(STORAGE)."""
        self.wipe()
        self._private[:] = self._randomness.draw()
        on_demand.load(_CURVE)
        self._making = on_demand.load(_PUBLIC_KEY).PublicKey(self._private, self._board.entropy(PUBLIC_KEY_SIZE))

    def try_to_begin(self) -> None:
        """Begin if the heap has room: otherwise the next use does it."""
        try:
            self.begin()
        except Exception:
            self.wipe()

    def advance(self) -> None:
        """Work for 10 ms at most. Call this while no request waits."""
        if self._steps >= _STEPS_BETWEEN_COLLECTIONS or (self._steps and not self._making):
            self._steps = 0
            self._board.tidy()
        elif self._making:
            self._steps += 1
            try:
                if not self._making.step():
                    self._complete(self._making)
            except MemoryError:
                self.wipe()  # the next use begins anew: this step may have been done in part

    def take(self) -> "tuple[bytes, bytes]":
        """Return the private and the public key, which are forgotten here. MemoryError; UnitError(STORAGE)."""
        try:
            self._finish()
            return bytes(self._private), bytes(self._public)
        finally:
            self.wipe()

    def agree(self, public: bytes) -> "tuple[bytes, bytes]":
        """Return the public key and the secret that this pair shares with `public`; the pair is used up.

        ValueError: `public` has low order. MemoryError; UnitError(STORAGE).
        """
        try:
            self._finish()
            return bytes(self._public), shared_secret(self._board, self._private, public)
        finally:
            self.wipe()

    def wipe(self) -> None:
        """Overwrite the pair."""
        if self._making:
            self._making.wipe()
        self._making = None
        self._is_ready = False
        wipe(self._private)
        wipe(self._public)
        on_demand.drop(_PUBLIC_KEY)
        on_demand.drop(_CURVE)

    def _finish(self) -> None:
        if self._is_ready:
            return
        if not self._making:
            self.begin()
        making = self._making
        while making and making.step(_STEPS_AT_ONCE):
            self._board.feed_watchdog()
        if making:
            self._complete(making)

    def _complete(self, made: "Multiplication") -> None:
        self._public[:] = made.result()
        made.wipe()
        self._making = None
        self._is_ready = True
        on_demand.drop(_PUBLIC_KEY)
        on_demand.drop(_CURVE)


def shared_secret(board: Board, private: "bytes | bytearray", public: "bytes | memoryview") -> bytes:
    """Return what X25519 makes of a private and a public key.

    ValueError: `public` has low order. MemoryError; UnitError(STORAGE).
    """
    board.tidy()
    try:
        curve = on_demand.load(_CURVE)
        ladder = on_demand.load(_X25519).Ladder(private, public, board.entropy(PUBLIC_KEY_SIZE))
        return curve.in_one_call(ladder, board.feed_watchdog)
    finally:
        on_demand.drop(_X25519)
        on_demand.drop(_CURVE)
        board.tidy()
