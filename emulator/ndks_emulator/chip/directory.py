# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The directory of an emulated chip: its uid, and its flash in one file."""

from pathlib import Path

from ndks_chip.layout import DRIVE_AT, FLASH_SIZE, NVM_AT

from ..locked_directory import CHIP, DirectoryError, LockedDirectory
from ..power import Power
from ..sector import half_erased, half_programmed
from ..stores import OpenFile, write_private

_STEPS = 2  # of an erase or a programmed page, as of an emulated unit


class NoFirmware(DirectoryError):
    """The chip has no firmware yet."""


class ChipDirectory(LockedDirectory):
    """The state of an emulated chip, locked until `close`. `create` allows a new chip in an empty directory.

    A new chip has no flash until `replace`.
    """

    kind = CHIP

    def __init__(self, path: Path, *, create: bool) -> None:
        self.power = Power()
        self.erases = 0
        self._store: OpenFile | None = None
        self._is_saved = True
        super().__init__(path, create=create)

    def close(self) -> None:
        if self._store:
            self._store.close()
        super().close()

    @property
    def is_new(self) -> bool:
        return self._store is None

    @property
    def firmware(self) -> bytes:
        return self.load()[:NVM_AT]

    @property
    def drive(self) -> bytes:
        """The drive CIRCUITPY, a volume for `read_drive`."""
        return self.load()[DRIVE_AT:]

    def load(self) -> bytes:
        """Return the whole flash. NoFirmware."""
        return self._file.load()

    def replace(self, *, firmware: bytes | None = None, drive: bytes | None = None) -> None:
        """Replace parts of the flash while the chip has no power; the nvm and the other part stay as they are."""
        flash = b"\xff" * FLASH_SIZE if self._store is None else self.load()
        firmware = flash[:NVM_AT] if firmware is None else firmware.ljust(NVM_AT, b"\xff")
        drive = flash[DRIVE_AT:] if drive is None else drive
        if self._store:
            self._store.close()
            self._store = None
        write_private(self.path / "flash.bin", firmware + flash[NVM_AT:DRIVE_AT] + drive)
        self._open()

    def step(self, flash: bytearray, offset: int, size: int) -> None:
        """Save what the chip has just erased or programmed in `flash`, as far as the power lasted."""
        after = bytes(flash[offset : offset + size])
        taken = self.power.take(_STEPS)
        if not taken:
            return
        is_erase = not after.strip(b"\xff")
        if taken < _STEPS:
            before = self._file.load_part(offset, size)
            after = half_erased(before) if is_erase else half_programmed(before, after)
        self.erases += is_erase
        self._file.save(offset, after)
        self._is_saved = False

    def sync(self) -> None:
        """Flush the steps since the last call to the PC's disk."""
        if not self._is_saved:
            self._file.sync()
            self._is_saved = True

    @property
    def _file(self) -> OpenFile:
        if self._store is None:
            raise NoFirmware(f"the chip in {self.path} has no firmware yet")
        return self._store

    def _open(self) -> None:
        if (self.path / "flash.bin").exists():
            self._store = OpenFile(self.path / "flash.bin", FLASH_SIZE)
