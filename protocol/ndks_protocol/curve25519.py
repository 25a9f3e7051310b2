# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Multiplication of a point of Curve25519 by a scalar (RFC 7748), in plain integers and in steps of a few milliseconds.

A board has no X25519 in C. A PC uses that of its cryptographic library; the results are equal.

No branch and no comparison depends on a bit of the scalar: what depends on one is taken from a pair or a table by an
index. But the time of an operation on large integers depends on their size. Therefore all coordinates are multiplied by
a random factor, the blind: they differ from run to run, even for equal scalars, and only their quotient, the result, is
the same.
"""

from .kdf import wipe

try:
    from typing import Callable
except ImportError:  # not on the board, where annotations are not evaluated
    pass

KEY_SIZE = 32  # bytes of a scalar, of a public key and of a shared secret
P = (1 << 255) - 19
LOW_255 = (1 << 255) - 1

_DIVISIONS = 20  # take as long as one round of the ladder


class LowOrderPoint(ValueError):
    """A public key of low order: the shared secret would be zero, whatever the scalar is."""


class Multiplication:
    """The steps of a multiplication. Subclasses do the rounds, from number _left - 1 down to 0.

    `blind` is 32 random bytes, never used again. ValueError: a wrong number of bytes.
    """

    _left = 0

    def __init__(self, scalar: "bytes | bytearray", blind: bytes):
        if not len(scalar) == len(blind) == KEY_SIZE:
            raise ValueError("a scalar and a blind have 32 bytes each")
        self._scalar = bytearray(scalar)
        self._scalar[0] &= 0xF8
        self._scalar[31] = self._scalar[31] & 0x7F | 0x40
        self._factor = int.from_bytes(blind, "little") % (P - 1) + 1
        self._numerator = 0
        self._euclid = (0, 0, 0, 0)  # dividend, divisor, and the factors of the denominator in them

    def step(self, rounds: int = 1) -> bool:
        """Do the work of at most that many rounds; return whether work is left."""
        if self._left:
            end = max(self._left - rounds, 0)
            self._do_rounds(end)
            self._left = end
            return True
        self._divide(rounds * _DIVISIONS)
        return self._euclid[1] != 0

    def result(self) -> bytes:
        """Return the coordinate of the product, after the last step. LowOrderPoint: it is zero."""
        product = self._numerator * self._euclid[2] % P
        if product == 0:
            raise LowOrderPoint("the public key has low order")
        return product.to_bytes(KEY_SIZE, "little")

    def wipe(self) -> None:
        """Overwrite the scalar, and let go of the integers, which Python cannot overwrite."""
        wipe(self._scalar)
        self._factor = self._numerator = 0
        self._euclid = (0, 0, 0, 0)

    def _do_rounds(self, end: int) -> None:
        raise NotImplementedError

    def _begin_division(self, numerator: int, denominator: int) -> None:
        """Go on with the division, after the last round."""
        wipe(self._scalar)
        self._numerator = numerator
        self._euclid = (P, denominator, 0, 1)

    def _divide(self, divisions: int) -> None:
        # Euclid's extended algorithm takes 10 ms on an RP2040, a power takes 88. The number of divisions depends on the
        # denominator, which is blinded.
        dividend, divisor, factor, next_factor = self._euclid
        while divisor and divisions:
            quotient, remainder = divmod(dividend, divisor)
            dividend, divisor = divisor, remainder
            factor, next_factor = next_factor, factor - quotient * next_factor
            divisions -= 1
        self._euclid = (dividend, divisor, factor, next_factor)


def in_one_call(multiplication: Multiplication, alive: "Callable[[], None]") -> bytes:
    """Return the result; `alive` is called at least every 0.2 s on an RP2040. LowOrderPoint."""
    try:
        while multiplication.step(16):
            alive()
        return multiplication.result()
    finally:
        multiplication.wipe()
