# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Model of one sector of an RP2040's NOR flash, as CircuitPython writes it, in memory or in a file.

An erase sets the whole sector to FF; programming a page can only clear bits. Both take steps of the unit's power. A
power cut in between leaves the sector in an intermediate state, as on a chip.
"""

from collections.abc import Callable

from .power import Power
from .stores import Store

PAGE = 256
SECTOR = 4096


class Sector:
    """A sector. With a store, `content` is a copy of the store. Operations raise PowerCut if the power fails."""

    def __init__(self, power: Power, store: Store | None = None, size: int = SECTOR) -> None:
        self.erases = 0
        self.content = bytearray(b"\xff" * size)
        self._size = size
        self._power = power
        self._store = store

    def clone(self, power: Power) -> "Sector":
        """Return a copy of the sector in memory, on another power supply."""
        copy = Sector(power, size=self._size)
        copy.content[:] = self.content
        copy.erases = self.erases
        return copy

    def read(self, offset: int, size: int) -> bytes:
        self._power.check()
        self._load()
        return bytes(self.content[offset : offset + size])

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write like `microcontroller.nvm`: program if all bytes there are FF, otherwise `overwrite` the sector."""
        end = offset + len(data)
        if not 0 <= offset <= end <= self._size:
            raise ValueError("outside the sector")
        self._power.check()
        self._load()
        if self.content[offset:end].strip(b"\xff"):
            self.overwrite(bytes(self.content[:offset]) + data + bytes(self.content[end:]))
            return
        first, last = offset // PAGE * PAGE, -(-end // PAGE) * PAGE
        self._program_pages(first, bytes(self.content[first:offset]) + data + bytes(self.content[end:last]))

    def overwrite(self, data: bytes | bytearray) -> None:
        """Write like a file on the drive, from its start: erase, then program every page."""
        self._power.check()
        self._load()
        after = (bytes(data) + bytes(self.content[len(data) :])).ljust(self._size, b"\xff")
        self._erase()
        self._program_pages(0, after)

    def close(self) -> None:
        if self._store:
            self._store.close()

    def _program_pages(self, first: int, data: bytes) -> None:
        for start in range(0, len(data), PAGE):
            self._program(first + start, data[start : start + PAGE])
        if self._store:
            self._store.sync()

    def _erase(self) -> None:
        before = bytes(self.content).ljust(self._size, b"\xff")  # the file may be too short
        self.erases += 1
        steps = 3 if self._power.fine else 2
        self._operate(0, steps, lambda step: _erased(before, steps - step))

    def _program(self, page: int, data: bytes) -> None:
        before = bytes(self.content[page : page + PAGE])
        after = (int.from_bytes(before) & int.from_bytes(data)).to_bytes(len(before))
        if self._power.fine:
            self._operate(page, 2 * _differences(before, after), lambda step: _programmed(before, after, step))
        else:
            self._operate(page, 2, lambda step: after if step == 2 else half_programmed(before, after))

    def _operate(self, offset: int, steps: int, result: Callable[[int], bytes]) -> None:
        """Perform one operation as far as the power lasts; `result(n)` returns the bytes after its first n steps."""
        taken = self._power.take(steps)
        if taken:
            after = result(taken)
            self.content[offset : offset + len(after)] = after
            if self._store:
                self._store.save(offset, after)
        self._power.check()

    def _load(self) -> None:
        if self._store:
            self.content[:] = self._store.load()


def _erased(before: bytes, missing: int) -> bytes:
    """Return the content of a sector `missing` steps before the end of an erase."""
    blank = b"\xff" * len(before)
    if missing == 0:
        return blank
    if missing == 1:
        return half_erased(before)
    return bytes([byte | 0x55 for byte in before])


def half_erased(before: bytes) -> bytes:
    """Return the content of a sector in the middle of an erase."""
    half = len(before) // 2
    return b"\xff" * half + before[half:]


def _programmed(before: bytes, after: bytes, steps: int) -> bytes:
    """Return the content of a page after `steps` steps of programming, two per changed byte.

    The first step clears all but one of the bits to clear; if there is only one bit, it clears none.
    """
    changing = [position for position in range(len(before)) if before[position] != after[position]]
    whole, half = divmod(steps, 2)
    if whole == len(changing):
        return after
    position = changing[whole]
    clearing = before[position] & ~after[position]
    torn = before[position] ^ (clearing & (clearing - 1) if half else 0)
    return after[:position] + bytes((torn,)) + before[position + 1 :]


def half_programmed(before: bytes, after: bytes) -> bytes:
    """Return the content of a page in the middle of programming, with one byte half programmed."""
    return _programmed(before, after, _differences(before, after) | 1)


def _differences(before: bytes, after: bytes) -> int:
    return sum(old != new for old, new in zip(before, after, strict=True))
