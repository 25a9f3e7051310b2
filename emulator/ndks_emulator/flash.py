# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Flash of an emulated unit, nvm sector and snapshot files, in memory. `UnitDirectory` has them on disk."""

from typing import Protocol, Self

from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE

from .power import Power
from .sector import Sector


class Flash(Protocol):
    """The flash of one unit, and its power supply."""

    uid: bytes  # the unique id of the chip
    power: Power
    nvm: Sector

    @property
    def snapshots_writable(self) -> bool: ...

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        """Return bytes of a snapshot. OSError: the file is missing."""
        ...

    def snapshot_write(self, slot: int, data: bytes | bytearray) -> None:
        """Overwrite a snapshot. OSError: the file is not writable."""
        ...

    def close(self) -> None: ...


class MemoryFlash:
    """Flash in memory. Tests can set a snapshot to None (a missing file), and `drive_is_writable` to False."""

    def __init__(self, uid: bytes = bytes(8), *, fine: bool = False) -> None:
        self.uid = uid
        self.power = Power(fine=fine)
        self.nvm = Sector(self.power, size=NVM_SIZE)
        self.snapshots: list[Sector | None] = [Sector(self.power, size=SNAPSHOT_SIZE) for _ in SNAPSHOT_FILES]
        self.drive_is_writable = True

    def clone(self) -> Self:
        """Return an independent copy with the power on."""
        copy = type(self)(self.uid, fine=self.power.fine)
        copy.nvm = self.nvm.clone(copy.power)
        copy.snapshots = [snapshot and snapshot.clone(copy.power) for snapshot in self.snapshots]
        copy.drive_is_writable = self.drive_is_writable
        return copy

    @property
    def images(self) -> list[bytes]:
        """The contents of nvm and of each existing snapshot."""
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
        """Do nothing: no file is held open."""

    def _snapshot(self, slot: int) -> Sector:
        snapshot = self.snapshots[slot]
        if snapshot is None:
            raise FileNotFoundError
        return snapshot
