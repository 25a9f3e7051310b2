# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Extraction of bits from lanes with ulab and bitops.

Time goes with the number of allocations: views and buffers are made once, and operate in place.
"""

# pyright: basic, reportMissingModuleSource=false, reportAttributeAccessIssue=false
# (the modules exist on the board only, and the stubs are incomplete for ulab)

import bitops
from ulab import numpy as np

# A look-up in a module of ulab takes 20 us.
_transpose = bitops.bit_transpose
_minimum = np.min
_place_of_minimum = np.argmin

_HALF = 0x4000  # 1/2 with 15 fractional bits
# Slice objects, because the board rules forbid the syntax of slices with a step: only ulab accepts them.
_FIRST_PLANE = slice(8, None, 16)
_ALL = slice(None, None, None)


def narrowed(raw: bytes, count: int, width: int) -> bytes:
    """Return the first `width` bytes of each of `count` lanes."""
    lanes = np.frombuffer(raw, dtype=np.uint8).reshape((count, len(raw) // count))
    return np.array(lanes[_ALL, slice(0, width)], dtype=np.uint8).tobytes()


class Lanes:
    """A reader of lanes: `count` lanes of `width` bytes, in which the two bytes at `top` have 15 fractional bits.

    `count` is a multiple of 16, `width` and `top` are even. `error` is the bound on the error of a sum in units of
    2^-15.
    """

    def __init__(self, count: int, width: int, top: int, error: int):
        self._count = count
        self._size = count * width + 6  # the last lane may overflow
        self._stride = width // 2
        self._first = top // 2
        self._limit = 4 * error
        self._rounding = np.array([_HALF + error], dtype=np.uint16)
        self._raw, self._words = self._buffer()
        self._other_raw, self._other_words = self._buffer()
        planes = bytearray(4 * count)
        self._plane = np.frombuffer(planes, dtype=np.uint8)[_FIRST_PLANE]
        self._planes = memoryview(planes)[2 * count :], memoryview(planes)[: 2 * count]

    def _buffer(self):
        """Return a buffer for lanes, and views of their numbers, forwards and backwards."""
        raw = bytearray(self._size)
        words = np.frombuffer(raw, dtype=np.uint16)
        last = self._first + (self._count - 1) * self._stride
        return raw, (words[slice(self._first, last + 1, self._stride)], words[slice(last, None, -self._stride)])

    def bits(self, first: int, second: int, sum_is_before: bool, data: bytearray) -> list[int]:
        """Fill `data` with the bits of the lanes of |first + second| and |first - second|, both >= 0.

        The sum or the difference is the first half, with its lanes backwards; the other is the second half. Lane
        (count / 8) p + q is bit p of byte q, where bit 0 is the least significant one. Return the numbers of the bits
        in doubt.
        """
        doubtful: list[int] = []
        self._raw[_ALL] = first.to_bytes(self._size, "little")
        self._other_raw[_ALL] = second.to_bytes(self._size, "little")
        for is_before in (True, False):
            words = self._words[is_before] + self._rounding
            if is_before == sum_is_before:
                words += self._other_words[is_before]
            else:
                words -= self._other_words[is_before]
            _transpose(words, self._planes[is_before], width=8)
            words += words  # drop the bit
            if _minimum(words) < self._limit:
                self._find(words, is_before, doubtful)
        data[_ALL] = self._plane.copy().tobytes()
        return doubtful

    def _find(self, words, is_before: bool, doubtful: list[int]) -> None:
        """Append the elements in doubt, of one half."""
        size = self._count >> 3
        while True:
            i = _place_of_minimum(words)
            if words[i] >= self._limit:
                return
            doubtful.append(8 * (i % size) + 7 - i // size + (0 if is_before else self._count))
            words[i] = self._limit
