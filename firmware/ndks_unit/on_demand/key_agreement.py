# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Uses of X25519 key pairs: for a session, as a joining key, and to open a package (PROTOCOL.md section 6)."""

from ndks_protocol.session import PUBLIC_KEY_SIZE

from .. import on_demand
from ..board import Board
from ..ephemeral import EphemeralPair

_STEPS_AT_ONCE = 16  # between two feeds of the watchdog: 50 ms
_LARGEST_HOLE = 6000  # elements of 4 bytes: more than fit into a hole of the heap
_HALVES = 7  # leave 50 of them


def take(board: Board, pair: EphemeralPair) -> tuple[bytes, bytes]:
    """Return the private and the public key, and forget the pair. MemoryError; UnitError(STORAGE)."""
    try:
        _finish(board, pair)
        return bytes(pair.private), bytes(pair.public)
    finally:
        pair.wipe()


def agree(board: Board, pair: EphemeralPair, public: bytes) -> tuple[bytes, bytearray]:
    """Return the pair's public key and the secret that it shares with `public`, and forget the pair.

    The caller wipes the secret. ValueError: `public` has low order. MemoryError; UnitError(STORAGE).
    """
    try:
        _finish(board, pair)
        return bytes(pair.public), shared_secret(board, pair.private, public)
    finally:
        pair.wipe()


def shared_secret(board: Board, private: "bytes | bytearray", public: "bytes | memoryview") -> bytearray:
    """Return what X25519 makes of a private and a public key; errors and wiping as `agree`."""
    shared = bytearray(PUBLIC_KEY_SIZE)
    room = _widened_heap()
    curve, module = on_demand.load("ndks_protocol.curve25519", "ndks_protocol.x25519")
    ladder = module.Ladder(private, public, board.entropy(PUBLIC_KEY_SIZE))
    shared[:] = curve.in_one_call(ladder, board.feed_watchdog)
    del room, curve, module, ladder
    board.tidy()  # while nothing else lies in the room that the heap gives back
    return shared


def _widened_heap() -> object:
    """Let the heap of a board take all RAM while the returned object lives: garbage is then collected less often.

    CircuitPython gives the heap the RAM that is left when an object fits nowhere, and takes it back when a collection
    finds nothing there. `pop` halves the memory of a list that has become short.
    """
    try:
        there = [None] * _LARGEST_HOLE
    except MemoryError:
        return None
    there[_HALVES:] = []
    for _ in range(_HALVES):
        there.pop()
    return there


def _finish(board: Board, pair: EphemeralPair) -> None:
    if pair.is_ready:
        return
    if not pair.making:
        pair.begin()
    making = pair.making
    while making and making.step(_STEPS_AT_ONCE):
        board.feed_watchdog()
    if making:
        pair.complete(making)
