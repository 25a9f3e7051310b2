# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The ring oscillator (RP2040 datasheet, 2.17): its random bit feeds `os.urandom` of CircuitPython."""

from collections.abc import Callable

_STATUS, _RANDOMBIT = 0x18, 0x1C
_ENABLED_AND_STABLE = 0x80001000
_BATCH_BYTES = 64


class Rosc:
    """A peripheral of rp2040py. `entropy(n)` returns an integer of n random bits."""

    def __init__(self, entropy: Callable[[int], int]) -> None:
        self._entropy = entropy
        self._registers: dict[int, int] = {}
        self._bits = self._left = 0

    def reset(self) -> None:
        self._registers.clear()

    def read_uint32(self, offset: int) -> int:
        if offset == _RANDOMBIT:
            return self._random_bit()
        return _ENABLED_AND_STABLE if offset == _STATUS else self._registers.get(offset, 0)

    def write_uint32(self, offset: int, value: int) -> None:
        self._registers[offset] = value

    def write_uint32_atomic(self, offset: int, value: int, atomic_type: int) -> None:
        old = self._registers.get(offset, 0)
        self._registers[offset] = (value, old ^ value, old | value, old & ~value)[atomic_type]

    def _random_bit(self) -> int:
        if not self._left:
            self._bits, self._left = self._entropy(8 * _BATCH_BYTES), 8 * _BATCH_BYTES
        bit = self._bits & 1
        self._bits >>= 1
        self._left -= 1
        return bit
