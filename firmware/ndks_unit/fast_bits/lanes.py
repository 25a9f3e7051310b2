# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Extraction of bits from lanes: with ulab and bitops on the board, in plain Python elsewhere."""

# pyright: basic, reportMissingModuleSource=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (the modules exist on the board only, and the stubs are incomplete for ulab)

try:
    import bitops
    from ulab import numpy as np
except ImportError:
    np = None
else:
    # Slice objects, because the board rules forbid the syntax of slices with a step: only ulab accepts them.
    _UPPER_BYTES = slice(1, None, 2)
    _UPPER_BYTES_BACKWARDS = slice(None, None, -2)
    _ALL = slice(None, None, None)
    _FIRST_PLANE = slice(0, None, 8)

_HALF = 0x4000  # 1/2 with 15 fractional bits
_FRACTION = 0x7FFF


def narrowed(raw: bytes, count: int, width: int) -> bytes:
    """Return the first `width` bytes of each of `count` lanes. Both widths must be even."""
    wide = len(raw) // count
    if np:
        lanes = np.frombuffer(raw, dtype=np.uint16).reshape((count, wide // 2))
        return np.array(lanes[_ALL, slice(0, width // 2)], dtype=np.uint16).tobytes()
    return b"".join([raw[i : i + width] for i in range(0, len(raw), wide)])


class Lanes:
    """A reader of `count` lanes of `width` bytes. The two bytes at `top` are a number with 15 fractional bits."""

    def __init__(self, count: int, width: int, top: int, error: int):
        self._count = count
        self._size = count * width + 6  # the last lane may overflow
        self._stride = width // 2
        self._first = top // 2
        self._word = slice(self._first, count * self._stride, self._stride) if np else None
        self._rounding = _HALF + error
        self._limit = 2 * error
        self._planes = bytearray(count)

    def bits(self, value: int, mirrored: bool, data: bytearray, position: int) -> list[int]:
        """Write the bit of each lane of |value| to `data`; return the numbers of the elements in doubt.

        Lane (count / 8) p + q is bit p of byte q, where bit 0 is the least significant one. `mirrored` reverses the
        order.
        """
        # The bits do not depend on the sign; signed=True would need three times the heap.
        raw = (value if value >= 0 else -value).to_bytes(self._size, "little")
        return self._bits(raw, mirrored, data, position) if np else self._plain_bits(raw, mirrored, data, position)

    def _bits(self, raw: bytes, mirrored: bool, data: bytearray, position: int) -> list[int]:
        words = np.frombuffer(raw, dtype=np.uint16)[self._word] + self._rounding
        order = _UPPER_BYTES_BACKWARDS if mirrored else _UPPER_BYTES
        tops = np.array(np.frombuffer(words, dtype=np.uint8)[order], dtype=np.uint8)
        bitops.bit_transpose(tops, self._planes, width=8)
        size = self._count >> 3
        data[position : position + size] = np.array(
            np.frombuffer(self._planes, dtype=np.uint8)[_FIRST_PLANE], dtype=np.uint8
        ).tobytes()
        fractions = np.left_shift(words, 1)
        limit = self._limit << 1
        if np.min(fractions) >= limit:
            return []
        return [self._element(i, mirrored) for i in range(self._count) if fractions[i] < limit]

    def _plain_bits(self, raw: bytes, mirrored: bool, data: bytearray, position: int) -> list[int]:
        doubtful: list[int] = []
        size = self._count >> 3
        for i in range(size):
            data[position + i] = 0
        for i in range(self._count):
            start = (self._first + i * self._stride) * 2
            word = (raw[start] | raw[start + 1] << 8) + self._rounding & 0xFFFF
            if word & _FRACTION < self._limit:
                doubtful.append(self._element(i, mirrored))
            lane = self._count - 1 - i if mirrored else i
            data[position + lane % size] |= word >> 15 << lane // size
        return doubtful

    def _element(self, lane: int, mirrored: bool) -> int:
        if mirrored:
            lane = self._count - 1 - lane
        size = self._count >> 3
        return 8 * (lane % size) + 7 - lane // size
