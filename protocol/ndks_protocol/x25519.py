# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""X25519 (RFC 7748): the shared secret of a scalar and a public key, in 255 rounds.

Strategy: a differential addition treats its two points alike, so the points are never swapped. Each round only takes
from a pair the one that is doubled. Most products are only folded, by 2^255 = 19 mod p, to at most 273 bits: `%` takes
twice as long.
"""

from .curve25519 import KEY_SIZE, LOW_255, Multiplication, P

_A24 = 121665  # (486662 - 2) / 4, of the curve


class Ladder(Multiplication):
    """One multiplication of the point with coordinate `u` by a scalar. A round takes 2 ms on an RP2040."""

    _left = 255

    def __init__(self, scalar: "bytes | bytearray", u: "bytes | bytearray | memoryview", blind: bytes):
        super().__init__(scalar, blind)
        if len(u) != KEY_SIZE:
            raise ValueError("a public key has 32 bytes")
        _mark_changes(self._scalar)
        self._u = (int.from_bytes(u, "little") & LOW_255) % P
        # x and z of infinity, and of the given point: the one that the last round has doubled, and the other one
        self._points = (self._factor, 0, self._u * self._factor % P, self._factor)

    def wipe(self) -> None:
        super().wipe()
        self._points = (0, 0, 0, 0)

    def _do_rounds(self, end: int) -> None:
        # The formulas of RFC 7748, section 5, with few names: the first 16 variables of a function are the fast ones.
        changes, u, p, low, bit = self._scalar, self._u, P, LOW_255, self._left
        x2, z2, x3, z3 = self._points
        while bit > end:
            bit -= 1
            a = x2 + z2
            b = x2 - z2
            c = x3 + z3
            d = x3 - z3
            x3 = d * a
            x3 = (x3 & low) + (x3 >> 255) * 19
            z3 = c * b
            z3 = (z3 & low) + (z3 >> 255) * 19
            other = changes[bit >> 3] >> (bit & 7) & 1
            x2 = (a, c)[other]
            z2 = (b, d)[other]
            a = x3 + z3
            b = x3 - z3
            x3 = a * a % p
            b = b * b
            z3 = ((b & low) + (b >> 255) * 19) * u % p
            a = x2 * x2
            a = (a & low) + (a >> 255) * 19
            b = z2 * z2
            b = (b & low) + (b >> 255) * 19
            c = a - b
            x2 = a * b % p
            z2 = (c * _A24 + a) * c % p
        self._points = (x2, z2, x3, z3)
        if not end:
            self._begin_division(x2, z2)


def _mark_changes(scalar: bytearray) -> None:
    """Replace the scalar by itself XOR itself shifted by one bit: 1 where neighbouring bits differ."""
    for i in range(KEY_SIZE):
        above = scalar[i + 1] if i + 1 < KEY_SIZE else 0
        scalar[i] ^= (scalar[i] >> 1 | above << 7) & 0xFF
