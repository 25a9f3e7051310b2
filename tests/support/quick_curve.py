# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Multiplications on Curve25519 by `cryptography`, for units in memory: the firmware's take half the time of a session.

The results and the errors are equal (`tests/protocol/test_x25519.py`). Units in processes of their own, those of
`tests/micropython`, and tests that load the modules anew use the firmware's, and so does all of `make test-full`.
"""

from types import ModuleType, SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from ndks_protocol import public_key, x25519
from ndks_protocol.curve25519 import KEY_SIZE, Multiplication
from ndks_unit import on_demand


class QuickLadder(Multiplication):
    """Multiply the point with coordinate `u`, in the last of as many rounds as those of the firmware."""

    _left = x25519.Ladder._left

    def __init__(self, scalar: bytes | bytearray, u: bytes | bytearray | memoryview, blind: bytes) -> None:
        super().__init__(scalar, blind)
        if len(u) != KEY_SIZE:
            raise ValueError("a public key has 32 bytes")
        self._public = X25519PublicKey.from_public_bytes(bytes(u))

    def _do_rounds(self, end: int) -> None:
        if not end:
            self._begin_division(self._product(X25519PrivateKey.from_private_bytes(bytes(self._scalar))), 1)

    def _product(self, private: X25519PrivateKey) -> int:
        try:
            return int.from_bytes(private.exchange(self._public), "little")
        except ValueError:  # a point of low order
            return 0


class QuickPublicKey(Multiplication):
    """Multiply the base point likewise."""

    _left = public_key.PublicKey._left

    def _do_rounds(self, end: int) -> None:
        if not end:
            private = X25519PrivateKey.from_private_bytes(bytes(self._scalar))
            self._begin_division(int.from_bytes(private.public_key().public_bytes_raw(), "little"), 1)


_QUICK: list[tuple[ModuleType, Any]] = [
    (x25519, SimpleNamespace(Ladder=QuickLadder)),
    (public_key, SimpleNamespace(PublicKey=QuickPublicKey)),
]
_load = on_demand.load


def load(*names: str) -> list[Any]:
    """Load modules on demand, and replace those that have a quick one; a module that was loaded anew is another one."""
    return [next((quick for slow, quick in _QUICK if slow is module), module) for module in _load(*names)]
