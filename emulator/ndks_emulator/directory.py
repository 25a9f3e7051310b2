# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The directory of an emulated unit: uid, nvm sector and snapshot files."""

import os
from pathlib import Path

from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE

from .locked_directory import UNIT, LockedDirectory
from .power import Power
from .sector import Sector
from .stores import DriveFile, OpenFile, write_private


class UnitDirectory(LockedDirectory):
    """The state of an emulated unit, locked until `close`. `create` allows a new unit in an empty directory."""

    kind = UNIT

    def __init__(self, path: Path, *, create: bool) -> None:
        self.power = Power()
        super().__init__(path, create=create)

    def close(self) -> None:
        self.nvm.close()
        super().close()

    @property
    def snapshots(self) -> list[Path]:
        return [self.path / name for name in SNAPSHOT_FILES]

    @property
    def snapshots_writable(self) -> bool:
        return all(os.access(path, os.W_OK) and path.stat().st_size == SNAPSHOT_SIZE for path in self.snapshots)

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        return self._snapshot_sectors[slot].read(offset, size)

    def snapshot_write(self, slot: int, data: bytes | bytearray) -> None:
        self._snapshot_sectors[slot].overwrite(data)

    @property
    def erases(self) -> int:
        """The number of erases of all sectors since the directory was opened."""
        return sum(sector.erases for sector in (self.nvm, *self._snapshot_sectors))

    def _open(self) -> None:
        self._make_snapshots()
        self._snapshot_sectors = [Sector(self.power, DriveFile(path), SNAPSHOT_SIZE) for path in self.snapshots]
        self.nvm = Sector(self.power, OpenFile(self.path / "nvm.bin", NVM_SIZE), NVM_SIZE)

    def _make_snapshots(self) -> None:
        for path in self.snapshots:
            content = path.read_bytes() if path.exists() else b""
            if len(content) != SNAPSHOT_SIZE:
                write_private(path, content[:SNAPSHOT_SIZE].ljust(SNAPSHOT_SIZE, b"\xff"))
