# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""X25519 (RFC 7748): Diffie-Hellman on Curve25519, in plain integers and in slices of a few milliseconds.

A board has no X25519 in C. A PC takes that of its cryptographic library; the results are equal.

Strategy: a differential addition treats its two points alike, so the points are never swapped. Each round only takes
which of them is doubled from a pair, by an index: no branch and no comparison depends on a bit of the scalar. But the
time of an operation on large integers depends on their size. Therefore the coordinates start out multiplied by a random
factor, `blind`: they differ from run to run, for equal scalars too, and only their quotient, the result, is the same.

Most products are only folded, by 2^255 = 19 mod p, to at most 291 bits; `%` costs twice that. The inversion is Euclid's
extended algorithm: 10 ms on an RP2040, where a power takes 88. Its number of divisions depends on the blinded
coordinate only.
"""

from .kdf import wipe

try:
    from typing import Callable
except ImportError:  # not on the board, where annotations are not evaluated
    pass

KEY_SIZE = 32  # bytes of a scalar, of a public key and of a shared secret
BASE_POINT = b"\x09" + bytes(KEY_SIZE - 1)

_P = (1 << 255) - 19
_LOW_255 = (1 << 255) - 1
_A24 = 121665  # (486662 - 2) / 4, of the curve
_TOP_BIT = 254
_DIVISIONS = 20  # take as long as one round


class LowOrderPoint(ValueError):
    """A public key of low order: the shared secret would be zero, whatever the scalar is."""


class Ladder:
    """One multiplication of the point with coordinate `u` by a scalar, both of 32 bytes, in steps.

    `blind` is 32 random bytes, never used again. ValueError: a wrong number of bytes.
    """

    def __init__(self, scalar: "bytes | bytearray", u: "bytes | bytearray | memoryview", blind: bytes):
        if not len(scalar) == len(u) == len(blind) == KEY_SIZE:
            raise ValueError("a scalar, a public key and a blind have 32 bytes each")
        self._changes = _changes(scalar)
        self._u = (int.from_bytes(u, "little") & _LOW_255) % _P
        factor = int.from_bytes(blind, "little") % (_P - 1) + 1
        self._points = (factor, 0, self._u * factor % _P, factor)  # x and z of infinity, x and z of the given point
        self._bit = _TOP_BIT
        self._division = (0, 0, 0, 0)  # dividend, divisor, and their cofactors, in Euclid's algorithm

    def step(self, rounds: int = 1) -> bool:
        """Do the work of that many rounds of 255, each 1.6 ms on an RP2040; return whether work is left."""
        if self._bit >= 0:
            self._climb(rounds)
            return True
        self._divide(rounds * _DIVISIONS)
        return self._division[1] != 0

    def result(self) -> bytes:
        """Return the coordinate of the product, after the last step. LowOrderPoint: it is zero."""
        inverse = self._division[2]
        product = self._points[0] * inverse % _P
        if product == 0:
            raise LowOrderPoint("the public key has low order")
        return product.to_bytes(KEY_SIZE, "little")

    def wipe(self) -> None:
        """Overwrite the scalar, and let go of the integers, which Python cannot overwrite."""
        wipe(self._changes)
        self._points = self._division = (0, 0, 0, 0)

    def _climb(self, rounds: int) -> None:
        # The formulas of RFC 7748, section 5, with few names: the first 16 variables of a function are the fast ones.
        changes, u, p, low = self._changes, self._u, _P, _LOW_255
        x2, z2, x3, z3 = self._points  # the point that the last round has doubled, and the other one
        bit = self._bit
        end = max(bit - rounds, -1)
        while bit > end:
            a = x2 + z2
            b = x2 - z2
            c = x3 + z3
            d = x3 - z3
            x3 = d * a
            z3 = c * b
            other = changes[bit >> 3] >> (bit & 7) & 1
            x2 = (a, c)[other]
            z2 = (b, d)[other]
            a = x3 + z3
            a = (a & low) + (a >> 255) * 19
            b = x3 - z3
            b = (b & low) + (b >> 255) * 19
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
            bit -= 1
        self._points = (x2, z2, x3, z3)
        self._bit = bit
        if bit < 0:
            wipe(changes)
            self._division = (p, z2, 0, 1)

    def _divide(self, divisions: int) -> None:
        dividend, divisor, before, cofactor = self._division
        while divisor and divisions:
            quotient, remainder = divmod(dividend, divisor)
            dividend, divisor = divisor, remainder
            before, cofactor = cofactor, before - quotient * cofactor
            divisions -= 1
        self._division = (dividend, divisor, before, cofactor)


def x25519(
    scalar: "bytes | bytearray",
    u: "bytes | bytearray | memoryview",
    blind: bytes,
    alive: "Callable[[], None]",
) -> bytes:
    """Return the shared secret of a scalar and a public key; `alive` is called every 30 ms on an RP2040.

    LowOrderPoint: the public key has low order. ValueError: a wrong number of bytes.
    """
    ladder = Ladder(scalar, u, blind)
    while ladder.step(16):
        alive()
    secret = ladder.result()
    ladder.wipe()
    return secret


def _changes(scalar: "bytes | bytearray") -> bytearray:
    """Return the clamped scalar XOR itself shifted by one bit: where neighbouring bits differ."""
    clamped = bytearray(scalar)
    clamped[0] &= 0xF8
    clamped[31] = clamped[31] & 0x7F | 0x40
    for i in range(KEY_SIZE):
        above = clamped[i + 1] if i + 1 < KEY_SIZE else 0
        clamped[i] ^= (clamped[i] >> 1 | above << 7) & 0xFF
    return clamped
