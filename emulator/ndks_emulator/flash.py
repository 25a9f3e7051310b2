# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a unit keeps without power: its nvm sector and snapshot files. In memory; a `UnitDirectory` has them on disk."""

from typing import Protocol, Self

from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE

from .power import Power
from .sector import Sector


class Flash(Protocol):
    """The flash of one unit, and the power that it takes."""

    uid: bytes  # the chip's
    power: Power
    nvm: Sector

    @property
    def snapshots_writable(self) -> bool: ...

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        """OSError when the file is missing."""
        ...

    def snapshot_write(self, slot: int, data: bytes | bytearray) -> None:
        """OSError when the file cannot be written."""
        ...

    def close(self) -> None: ...


class MemoryFlash:
    """Flash in memory. A snapshot may be None, which is a file that is missing, and `drive_is_writable` False."""

    def __init__(self, uid: bytes = bytes(8), *, fine: bool = False) -> None:
        self.uid = uid
        self.power = Power(fine=fine)
        self.nvm = Sector(self.power, size=NVM_SIZE)
        self.snapshots: list[Sector | None] = [Sector(self.power, size=SNAPSHOT_SIZE) for _ in SNAPSHOT_FILES]
        self.drive_is_writable = True

    def clone(self) -> Self:
        """Return a copy that shares nothing, with power."""
        copy = type(self)(self.uid, fine=self.power.fine)
        copy.nvm = self.nvm.clone(copy.power)
        copy.snapshots = [snapshot and snapshot.clone(copy.power) for snapshot in self.snapshots]
        copy.drive_is_writable = self.drive_is_writable
        return copy

    @property
    def images(self) -> list[bytes]:
        """What lies in nvm, and in each snapshot that is there."""
        return [bytes(sector.content) for sector in (self.nvm, *self.snapshots) if sector]

    @images.setter
    def images(self, images: list[bytes]) -> None:
        present = [sector for sector in (self.nvm, *self.snapshots) if sector]
        for sector, image in zip(present, images, strict=True):
            sector.content[:] = image

    @property
    def snapshots_writable(self) -> bool:
        return self.drive_is_writable and None not in self.snapshots

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        return self._snapshot(slot).read(offset, size)

    def snapshot_write(self, slot: int, data: bytes | bytearray) -> None:
        if not self.drive_is_writable:
            raise OSError("read-only")
        self._snapshot(slot).overwrite(data)

    def close(self) -> None:
        """Nothing is open."""

    def _snapshot(self, slot: int) -> Sector:
        snapshot = self.snapshots[slot]
        if snapshot is None:
            raise FileNotFoundError
        return snapshot
