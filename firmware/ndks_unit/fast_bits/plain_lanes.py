# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Extraction of bits from lanes in plain Python, for interpreters without ulab. `lanes` has the same functions."""

_HALF = 0x4000  # 1/2 with 15 fractional bits
_FRACTION = 0x7FFF


def narrowed(raw: bytes, count: int, width: int) -> bytes:
    wide = len(raw) // count
    return b"".join([raw[i : i + width] for i in range(0, len(raw), wide)])


class Lanes:
    def __init__(self, count: int, width: int, top: int, error: int):
        self._count = count
        self._size = count * width + 6
        self._width = width
        self._top = top
        self._limit = 2 * error
        self._rounding = _HALF + error

    def bits(self, first: int, second: int, sum_is_before: bool, data: bytearray) -> list[int]:
        raw, other = first.to_bytes(self._size, "little"), second.to_bytes(self._size, "little")
        doubtful: list[int] = []
        data[:] = bytes(len(data))
        for is_before in (True, False):
            for i in range(self._count):
                lane = self._count - 1 - i if is_before else i
                start = self._top + lane * self._width
                a, b = raw[start] | raw[start + 1] << 8, other[start] | other[start + 1] << 8
                word = (a + b if is_before == sum_is_before else a - b) + self._rounding & 0xFFFF
                size = self._count >> 3
                element = 8 * (i % size) + 7 - i // size + (0 if is_before else self._count)
                data[element >> 3] |= word >> 15 << 7 - (element & 7)
                if word & _FRACTION < self._limit:
                    doubtful.append(element)
        return doubtful
