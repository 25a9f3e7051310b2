# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The directory of an emulated unit: uid, nvm sector and snapshot files, locked by one process at a time."""

import contextlib
import logging
import os
import secrets
from pathlib import Path
from typing import Self

from filelock import BaseFileLock, FileLock, Timeout

from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE

from .power import Power
from .sector import Sector
from .stores import DriveFile, OpenFile, give_to_owner_of, write_private

_log = logging.getLogger(__name__)

UID_SIZE = 8
_BEFORE_UID = {"lock", *(name + end for name in (".gitignore", "owner", "place", "uid") for end in ("", ".new"))}


class DirectoryError(Exception):
    """The directory has no emulated unit, and a new one cannot be created in it."""


class NoUnitThere(DirectoryError):
    """The directory has no emulated unit, and the caller did not ask to create one."""


class DirectoryInUse(DirectoryError):
    """Another process runs the unit in this directory."""


class UnitDirectory:
    """The state of an emulated unit, locked until `close`. `create` allows a new unit in an empty directory."""

    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        self.power = Power()
        try:
            if not create and not (path / "uid").exists():
                raise NoUnitThere(f"there is no emulated unit in {path}")
            self._prepare()
        except (OSError, ValueError) as error:  # ValueError: the path is invalid
            raise DirectoryError(f"{path} cannot hold an emulated unit: {_reason(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.nvm.close()
        self._release()

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

    def _prepare(self) -> None:
        self.path.mkdir(mode=0o700, exist_ok=True)
        if not (self.path / "uid").exists() and {entry.name for entry in self.path.iterdir()} - _BEFORE_UID:
            raise DirectoryError(f"{self.path} is not empty and has no emulated unit")
        self.path.chmod(0o700)
        self._lock = self._take_lock()
        try:
            write_private(self.path / "owner", f"{os.getpid()}\n".encode())
            write_private(self.path / ".gitignore", b"*\n")  # keep the secret of a network out of repositories
            self.uid = self._load_uid()
            self._warn_if_moved()
            self._make_snapshots()
            self._snapshot_sectors = [Sector(self.power, DriveFile(path), SNAPSHOT_SIZE) for path in self.snapshots]
            self.nvm = Sector(self.power, OpenFile(self.path / "nvm.bin", NVM_SIZE), NVM_SIZE)
        except BaseException:
            self._release()
            raise

    def _take_lock(self) -> BaseFileLock:
        # Not a soft lock, whose file would survive a killed process. Not thread-local, because another thread may close
        # the unit.
        lock = FileLock(self.path / "lock", timeout=0, mode=0o600, fallback_to_soft=False, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            raise DirectoryInUse(f"the unit in {self.path} is run by another process (pid {self._owner()})") from None
        except OSError as error:
            what = f"{self.path} cannot be locked: {_reason(error)}; its file system may not support locks"
            raise DirectoryError(what) from error
        self._own_lock_file()
        return lock

    def _own_lock_file(self) -> None:
        """Give the lock file to the owner of the directory, like all other files."""
        with contextlib.suppress(OSError):
            file = os.open(self.path / "lock", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                give_to_owner_of(file, self.path)
            finally:
                os.close(file)

    def _release(self) -> None:
        with contextlib.suppress(OSError):  # the kernel releases the lock when this process ends
            self._lock.release()

    def _owner(self) -> str:
        """Return the pid of the process that runs the unit, from its file."""
        try:
            return (self.path / "owner").read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return "unknown"

    def _load_uid(self) -> bytes:
        file = self.path / "uid"
        if not file.exists():
            write_private(file, f"{secrets.token_hex(UID_SIZE)}\n".encode())
        try:
            uid = bytes.fromhex(file.read_text().strip())
        except ValueError:
            uid = b""
        if len(uid) != UID_SIZE:
            raise DirectoryError(f"{file} is damaged: it must contain 16 hexadecimal digits")
        return uid

    def _warn_if_moved(self) -> None:
        """Warn once if the directory has been copied or moved: two copies of a unit issue the same numbers."""
        found = self.path.stat()
        place, file = f"{found.st_dev} {found.st_ino}\n", self.path / "place"
        before = file.read_text(errors="replace") if file.exists() else place
        if before != place:
            _log.warning(
                "%s was copied, moved or restored: never run two copies of a unit: both issue the same numbers",
                self.path,
            )
        if before != place or not file.exists():
            write_private(file, place.encode())

    def _make_snapshots(self) -> None:
        for path in self.snapshots:
            content = path.read_bytes() if path.exists() else b""
            if len(content) != SNAPSHOT_SIZE:
                write_private(path, content[:SNAPSHOT_SIZE].ljust(SNAPSHOT_SIZE, b"\xff"))


def _reason(error: Exception) -> str:
    """Return the reason of an error, with the file name if it is known."""
    if not isinstance(error, OSError):
        return str(error)
    why = error.strerror or str(error)
    return f"{why}: {error.filename}" if error.filename else why
