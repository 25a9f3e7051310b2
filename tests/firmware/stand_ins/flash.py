# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Flash that behaves like flash, and a supply that can fail at each of its steps."""

SECTOR = 4096


class PowerCut(BaseException):
    """The cable was pulled."""


class Power:
    """Lasts for `steps_left` steps of flash operations; for ever when that is None."""

    def __init__(self) -> None:
        self.steps_left: int | None = None

    def step(self) -> None:
        if self.steps_left is None:
            return
        if self.steps_left == 0:
            raise PowerCut
        self.steps_left -= 1


class Sector:
    """One sector of NOR flash as CircuitPython writes it: programmed where it is blank, else erased whole first."""

    def __init__(self, power: Power) -> None:
        self.content = bytearray(b"\xff" * SECTOR)
        self.erases = 0
        self.worn_out = False  # from now on it takes neither erasing nor programming
        self.stuck: set[int] = set()  # bytes that take no programming
        self._power = power

    def write(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        if not 0 <= offset <= end <= SECTOR:
            raise ValueError("outside the sector")
        if self.worn_out:
            return
        if self.content[offset:end].strip(b"\xff"):
            data = bytes(self.content[:offset]) + data + bytes(self.content[end:])
            offset = 0
            self._erase()
        self._program(offset, data)

    def _erase(self) -> None:
        self._power.step()
        self.content[:] = bytes(byte | 0x55 for byte in self.content)  # what is left if the power goes here
        self._power.step()
        self.content[:] = b"\xff" * SECTOR
        self.erases += 1

    def _program(self, offset: int, data: bytes) -> None:
        for position, byte in enumerate(data, offset):
            before = self.content[position]
            if before & byte != before and position not in self.stuck:
                self._power.step()
                self.content[position] = before & (byte | 0x0F)
                self._power.step()
                self.content[position] = before & byte


class Nvm:
    """microcontroller.nvm: a sector behind slices."""

    def __init__(self, sector: Sector) -> None:
        self._sector = sector

    def __len__(self) -> int:
        return SECTOR

    def __getitem__(self, where: slice) -> bytearray:
        return self._sector.content[where]

    def __setitem__(self, where: slice, value: "bytes | bytearray | memoryview") -> None:
        start, stop, _ = where.indices(SECTOR)
        if stop - start != len(value):
            raise ValueError("Slice and value different lengths.")
        self._sector.write(start, bytes(value))
