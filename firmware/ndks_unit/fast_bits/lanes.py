# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Extraction of bits from lanes: with ulab and bitops on the board, in plain Python elsewhere.

On the board time goes with the number of allocations: views and buffers are made once, and operate in place.
"""

# pyright: basic, reportMissingModuleSource=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# pyright: reportOptionalCall=false, reportOptionalOperand=false
# (the modules exist on the board only, and the stubs are incomplete for ulab)

try:
    import bitops
    from ulab import numpy as np
except ImportError:
    np = None
else:
    # A look-up in a module of ulab takes 20 us.
    _transpose = bitops.bit_transpose
    _minimum = np.min
    _place_of_minimum = np.argmin
    # Slice objects, because the board rules forbid the syntax of slices with a step: only ulab accepts them.
    _FIRST_PLANE = slice(8, None, 16)

_ALL = slice(None, None, None)
_HALF = 0x4000  # 1/2 with 15 fractional bits
_FRACTION = 0x7FFF


def narrowed(raw: bytes, count: int, width: int) -> bytes:
    """Return the first `width` bytes of each of `count` lanes."""
    wide = len(raw) // count
    if np:
        lanes = np.frombuffer(raw, dtype=np.uint8).reshape((count, wide))
        return np.array(lanes[_ALL, slice(0, width)], dtype=np.uint8).tobytes()
    return b"".join([raw[i : i + width] for i in range(0, len(raw), wide)])


class Lanes:
    """A reader of `count` lanes of `width` bytes. The two bytes at `top` are a number with 15 fractional bits.

    `count` is a multiple of 16, `width` and `top` are even.
    """

    def __init__(self, count: int, width: int, top: int, error: int):
        self._count = count
        self._size = count * width + 6  # the last lane may overflow
        self._stride = width // 2
        self._first = top // 2
        self._limit = 2 * error
        self._rounding = _HALF + error
        if np:
            self._limit *= 2
            self._rounding = np.array([self._rounding], dtype=np.uint16)
            self._first_raw, self._first_views = self._buffer()
            self._second_raw, self._second_views = self._buffer()
            self._planes = bytearray(2 * count)
            self._plane = np.frombuffer(self._planes, dtype=np.uint8)[_FIRST_PLANE]

    def _buffer(self):
        """Return a buffer for lanes, and views of their numbers, forwards and backwards."""
        raw = bytearray(self._size)
        words = np.frombuffer(raw, dtype=np.uint16)
        last = self._first + (self._count - 1) * self._stride
        return raw, (words[slice(self._first, last + 1, self._stride)], words[slice(last, None, -self._stride)])

    def load(self, first: int, second: int) -> None:
        """Take the lanes of two integers >= 0."""
        if np:
            self._first_raw[_ALL] = first.to_bytes(self._size, "little")
            self._second_raw[_ALL] = second.to_bytes(self._size, "little")
        else:
            self._first_raw = first.to_bytes(self._size, "little")
            self._second_raw = second.to_bytes(self._size, "little")

    def bits(self, is_sum: bool, mirrored: bool, data: bytearray, position: int) -> "list[int] | tuple[()]":
        """Write the bit of each lane of the sum or difference to `data`; return the numbers of the elements in doubt.

        Lane (count / 8) p + q is bit p of byte q, where bit 0 is the least significant one. `mirrored` reverses the
        order.
        """
        return (self._bits if np else self._plain_bits)(is_sum, mirrored, data, position)

    def _bits(self, is_sum: bool, mirrored: bool, data: bytearray, position: int) -> "list[int] | tuple[()]":
        words = self._first_views[mirrored] + self._rounding
        if is_sum:
            words += self._second_views[mirrored]
        else:
            words -= self._second_views[mirrored]
        _transpose(words, self._planes, width=8)
        data[position : position + (self._count >> 3)] = self._plane.copy().tobytes()
        words += words  # drop the bit
        if _minimum(words) >= self._limit:
            return ()
        doubtful: list[int] = []
        while True:
            i = _place_of_minimum(words)
            if words[i] >= self._limit:
                return doubtful
            doubtful.append(self._element(i))
            words[i] = self._limit

    def _plain_bits(self, is_sum: bool, mirrored: bool, data: bytearray, position: int) -> list[int]:
        doubtful: list[int] = []
        size = self._count >> 3
        for i in range(size):
            data[position + i] = 0
        for i in range(self._count):
            lane = self._count - 1 - i if mirrored else i
            start = (self._first + lane * self._stride) * 2
            first = self._first_raw[start] | self._first_raw[start + 1] << 8
            second = self._second_raw[start] | self._second_raw[start + 1] << 8
            word = (first + second if is_sum else first - second) + self._rounding & 0xFFFF
            if word & _FRACTION < self._limit:
                doubtful.append(self._element(i))
            data[position + i % size] |= word >> 15 << i // size
        return doubtful

    def _element(self, i: int) -> int:
        size = self._count >> 3
        return 8 * (i % size) + 7 - i // size
