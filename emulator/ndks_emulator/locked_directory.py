# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A directory with the state of one unit or chip: private, of one kind, locked by one process at a time."""

import contextlib
import logging
import os
import secrets
from pathlib import Path
from typing import ClassVar, Self

from filelock import BaseFileLock, FileLock, Timeout

from .stores import give_to_owner_of, write_private

_log = logging.getLogger(__name__)

UID_SIZE = 8
UNIT = "emulated unit"
CHIP = "emulated chip"
_KINDS = (UNIT, CHIP)
_BEFORE_UID = {
    "lock",
    *(name + end for name in (".gitignore", "flash.bin", "kind", "owner", "place", "uid") for end in ("", ".new")),
}


class DirectoryError(Exception):
    """The directory has no unit of this kind, and a new one cannot be created in it."""


class NoUnitThere(DirectoryError):
    """The directory has no unit, and the caller did not ask to create one."""


class OtherKind(DirectoryError):
    """The directory holds a unit of another kind."""


class DirectoryInUse(DirectoryError):
    """Another process runs the unit in this directory."""


def kind_of(path: Path) -> str:
    """Return the kind of unit that a directory holds, "" for none. OSError, ValueError: the path is invalid."""
    if not (path / "uid").exists():
        return ""
    file = path / "kind"
    kind = (
        file.read_text(encoding="utf-8", errors="replace").strip() if file.exists() else UNIT
    )  # as before version 0.2
    return kind if kind in _KINDS else f"unit of the unknown kind {kind[:20]!r}"


class LockedDirectory:
    """The directory of a unit, locked until `close`. `create` allows a new unit in an empty directory.

    A subclass names its `kind`, and opens its files in `_open`.
    """

    kind: ClassVar[str]
    uid: bytes  # the unique id of the chip

    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        try:
            if not create and not (path / "uid").exists():
                raise NoUnitThere(f"there is no {self.kind} in {path}")
            self._prepare()
        except (OSError, ValueError) as error:  # ValueError: the path is invalid
            raise DirectoryError(f"{path} cannot hold an {self.kind}: {_reason(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # the kernel releases the lock when this process ends
            self._lock.release()

    def _open(self) -> None:
        """Open the files of the unit, and make those that are missing."""

    def _prepare(self) -> None:
        self.path.mkdir(mode=0o700, exist_ok=True)
        found = kind_of(self.path)
        if found and found != self.kind:
            raise OtherKind(f"{self.path} holds an {found}, not an {self.kind}")
        if not found and {entry.name for entry in self.path.iterdir()} - _BEFORE_UID:
            raise DirectoryError(f"{self.path} is not empty and has no {self.kind}")
        self.path.chmod(0o700)
        self._lock = self._take_lock()
        try:
            write_private(self.path / "owner", f"{os.getpid()}\n".encode())
            write_private(self.path / ".gitignore", b"*\n")  # keep the secret of a network out of repositories
            if not (self.path / "kind").exists():
                write_private(self.path / "kind", f"{self.kind}\n".encode())
            self.uid = self._load_uid()
            self._warn_if_moved()
            self._open()
        except BaseException:
            LockedDirectory.close(self)
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


def _reason(error: Exception) -> str:
    """Return the reason of an error, with the file name if it is known."""
    if not isinstance(error, OSError):
        return str(error)
    why = error.strerror or str(error)
    return f"{why}: {error.filename}" if error.filename else why
