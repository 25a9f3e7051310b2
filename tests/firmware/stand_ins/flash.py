# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Model of microcontroller.nvm: a sector of flash that is accessed by slices."""

from ndks_emulator.sector import SECTOR, Sector


class Nvm:
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
