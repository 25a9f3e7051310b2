# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The directory that an emulated unit lives in: its uid, nvm sector and snapshot files, for one process at a time."""

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
from .stores import DriveFile, OpenFile, belong, write_private

_log = logging.getLogger(__name__)

UID_SIZE = 8
_BEFORE_UID = {"lock", *(name + end for name in (".gitignore", "owner", "place", "uid") for end in ("", ".new"))}


class DirectoryError(Exception):
    """The directory holds no emulated unit and cannot become one."""


class NoUnitThere(DirectoryError):
    """The directory holds no emulated unit, and none was to be made."""


class DirectoryInUse(DirectoryError):
    """Another process runs the unit in this directory."""


class UnitDirectory:
    """An emulated unit's state, locked until `close`; `create` makes a blank unit of a missing or empty directory."""

    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        self.power = Power()
        try:
            if not create and not (path / "uid").exists():
                raise NoUnitThere(f"there is no emulated unit in {path}")
            self._prepare()
        except (OSError, ValueError) as error:  # ValueError: no file can have such a name
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
        """How often a sector was erased since this was opened."""
        return sum(sector.erases for sector in (self.nvm, *self._snapshot_sectors))

    def _prepare(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.path / "uid").exists() and {entry.name for entry in self.path.iterdir()} - _BEFORE_UID:
            raise DirectoryError(f"{self.path} is not empty and holds no emulated unit")
        self.path.chmod(0o700)
        self._lock = self._take_lock()
        try:
            write_private(self.path / "owner", f"{os.getpid()}\n".encode())
            write_private(self.path / ".gitignore", b"*\n")  # a network's secret must not end up in a repository
            self.uid = self._load_uid()
            self._look_at_place()
            self._make_snapshots()
            self._snapshot_sectors = [Sector(self.power, DriveFile(path), SNAPSHOT_SIZE) for path in self.snapshots]
            self.nvm = Sector(self.power, OpenFile(self.path / "nvm.bin", NVM_SIZE), NVM_SIZE)
        except BaseException:
            self._release()
            raise

    def _take_lock(self) -> BaseFileLock:
        # A lock that is there as long as its file is (filelock's soft one) would stay when a process is killed.
        # Not of one thread: whoever closes the unit may be another one than who opened it.
        lock = FileLock(self.path / "lock", timeout=0, mode=0o600, fallback_to_soft=False, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            raise DirectoryInUse(f"the unit in {self.path} is run by another process (pid {self._owner()})") from None
        except OSError as error:
            what = f"{self.path} cannot be locked: {_reason(error)}; perhaps its file system has no locks"
            raise DirectoryError(what) from error
        self._keep_lock()
        return lock

    def _keep_lock(self) -> None:
        """Let the lock's file belong to the owner of the directory, as all others do."""
        with contextlib.suppress(OSError):
            file = os.open(self.path / "lock", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                belong(file, self.path)
            finally:
                os.close(file)

    def _release(self) -> None:
        with contextlib.suppress(OSError):  # it ends with this process at the latest
            self._lock.release()

    def _owner(self) -> str:
        """Return the pid of the process that runs the unit, as it wrote it down."""
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
            raise DirectoryError(f"{file} is damaged: it must hold 16 hexadecimal digits")
        return uid

    def _look_at_place(self) -> None:
        """Warn once when the directory is another one than before: a copy of a unit gives its numbers twice."""
        found = self.path.stat()
        place, file = f"{found.st_dev} {found.st_ino}\n", self.path / "place"
        before = file.read_text(errors="replace") if file.exists() else place
        if before != place:
            _log.warning(
                "%s was copied, moved or restored: never run two copies of a unit, or both give the same numbers",
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
    """Return why, and of which file if that is known."""
    if not isinstance(error, OSError):
        return str(error)
    why = error.strerror or str(error)
    return f"{why}: {error.filename}" if error.filename else why
