# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Atomic file writes: a file is complete or absent, never overwritten unasked; files with secrets have mode 0600."""

import contextlib
import errno
import logging
import os
import secrets
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

from .exceptions import FileError, reason
from .on_disk import NO_SYNC, remove_done, sync_directory, where_supported
from .paths import follow, keep_owner, refuse_long_name

_log = logging.getLogger(__name__)

_PRIVATE = 0o600
_USUAL = 0o666  # the umask is subtracted
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_DESCRIPTORS = Path("/proc/self/fd")
# Errors of systems that cannot link an unnamed file: no /proc, no hard links, or a security policy.
_NO_NAME = NO_SYNC | {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EXDEV, errno.ELOOP, errno.EMLINK}


def refuse_existing(path: Path, force: bool, option: str = "-o") -> None:
    """Raise FileError when `path` exists and may not be overwritten, or when no file can be created there.

    `option` is that of the command for this path.
    """
    _refuse_without_place(path)
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is not a regular file", "name another, or use - for stdout")
    if path.exists() and not force:
        raise _exists(path, option)


@contextlib.contextmanager
def whole_file(path: Path, *, private: bool, overwrite: bool = True, beside: Path | None = None) -> Generator[BinaryIO]:
    """Write a file atomically: at the end it is complete and on the disk, or the former one is unchanged.

    Without `overwrite`, raise FileError when the file exists at the end, even if it appeared in the meantime. On Linux
    the file has no name until it is complete, so a killed process leaves no part of it behind. A failure after the file
    has its name is only logged. A file written by root gets the owner of the file that it replaces, or else of
    `beside`. FileError, OSError.
    """
    target = follow(path)  # a symbolic link is not replaced
    owners = (*([target] if overwrite else []), *([beside] if beside else []))
    draft = _Draft(target, _PRIVATE if private else _USUAL, owners)
    try:
        yield draft.file
        draft.place(overwrite=overwrite)
    except BaseException:
        draft.discard()
        raise
    sync_directory(target.parent, f"{path} is complete")


def private_file(
    path: Path, *, overwrite: bool = True, beside: Path | None = None
) -> contextlib.AbstractContextManager[BinaryIO]:
    """Write a file of mode 0600 atomically; see `whole_file`."""
    return whole_file(path, private=True, overwrite=overwrite, beside=beside)


def write_private(path: Path, data: bytes, *, overwrite: bool = True, beside: Path | None = None) -> None:
    """Write `data` to a file of mode 0600 atomically."""
    with private_file(path, overwrite=overwrite, beside=beside) as file:
        file.write(data)


def write_new(path: Path, data: bytes) -> None:
    """Write `data` to a new file of mode 0600 atomically. FileError if the path exists; OSError."""
    refuse_taken(path)
    try:
        write_private(path, data, overwrite=False)
    except FileError:
        refuse_taken(path)  # by now, with the advice of a file that is never overwritten
        raise


def refuse_taken(path: Path, advice: str = "name another file, -o OTHER, or move this one away") -> None:
    """Raise FileError when `path` exists, or when no file can be created there."""
    _refuse_without_place(path)
    if os.path.lexists(path):
        raise FileError(f"{path} exists, and is not overwritten", advice)


def refuse_append_only(directory: Path) -> None:
    """Raise FileError for an append-only directory: a secret under a temporary name would stay there."""
    name = _passing_name(directory)
    with _about(directory):
        os.close(os.open(name, _NEW, _PRIVATE))
    try:
        name.unlink(missing_ok=True)
    except OSError as error:
        what = f"in {directory} no file can be renamed or removed: {reason(error)}"
        raise FileError(what, "name a file elsewhere; lsattr -d shows whether the directory is append-only") from None


class _Draft:
    """A file that is being written: unnamed where the system supports that, elsewhere under a temporary name."""

    def __init__(self, path: Path, mode: int, owners: tuple[Path, ...]) -> None:
        self.path = path
        self._mode = mode
        self._owners = owners
        self._passing = _passing_name(path.parent)
        self._is_named = self._is_placed = False
        with _about(path):
            descriptor = _open_unnamed(path.parent, mode)
            self.file = self._open_named() if descriptor is None else os.fdopen(descriptor, "w+b")

    def place(self, *, overwrite: bool) -> None:
        """Give the written file its final name. FileError, OSError; later failures are only logged."""
        with _about(self.path):
            self._settle()
            if not self._is_named and self._name(overwrite=overwrite):
                self._is_placed = True
                self._close()
                return
            self.file.close()
            self._rename(overwrite=overwrite)

    def discard(self) -> None:
        """Remove the temporary file, if there is one."""
        with contextlib.suppress(OSError):
            self.file.close()
        try:
            self._passing.unlink(missing_ok=True)
        except OSError:
            if not self._is_placed:
                with contextlib.suppress(OSError):
                    os.truncate(self._passing, 0)  # the name stays, without the content

    def _open_named(self) -> BinaryIO:
        refuse_append_only(self.path.parent)
        descriptor = os.open(self._passing, _NEW, self._mode)
        self._is_named = True
        return os.fdopen(descriptor, "w+b")

    def _settle(self) -> None:
        self.file.flush()
        keep_owner(self.file.fileno(), *self._owners)
        with where_supported():
            os.fsync(self.file.fileno())

    def _name(self, *, overwrite: bool) -> bool:
        """Link the unnamed file to its final name; return False if it has only a temporary name so far."""
        try:
            if self._link(self.path):
                return True
        except FileExistsError:
            if not overwrite:
                raise _exists(self.path) from None
            refuse_append_only(self.path.parent)
            self._is_named = self._link(self._passing)
        if not self._is_named:
            self._copy()
        return False

    def _link(self, name: Path) -> bool:
        """Link the unnamed file to `name`; return False where the system does not support that."""
        try:
            descriptor = self.file.fileno()
            # With src_dir_fd, Python calls linkat with AT_SYMLINK_FOLLOW.
            os.link(_DESCRIPTORS / str(descriptor), name, src_dir_fd=descriptor)
        except OSError as error:
            if error.errno not in _NO_NAME:
                raise
            return False
        return True

    def _copy(self) -> None:
        """Copy the content to a file under a temporary name."""
        with self.file as unnamed:
            self.file = self._open_named()
            unnamed.seek(0)
            shutil.copyfileobj(unnamed, self.file)
        self._settle()

    def _rename(self, *, overwrite: bool) -> None:
        if overwrite or not self._link_own_name():
            self._passing.replace(self.path)
            self._is_placed = True
            return
        self._is_placed = True
        remove_done(self._passing, f"{self.path} is complete")

    def _link_own_name(self) -> bool:
        """Link the file to its final name, without replacing another; return False on file systems without links."""
        try:
            os.link(self._passing, self.path)
        except FileExistsError:
            raise _exists(self.path) from None
        except OSError:
            if self.path.exists():
                raise _exists(self.path) from None
            return False
        return True

    def _close(self) -> None:
        """Close the file after it got its final name."""
        try:
            self.file.close()
        except OSError as error:
            _log.warning("%s is complete, and may not survive a power cut: %s", self.path, reason(error))


@contextlib.contextmanager
def _about(path: Path) -> Generator[None]:
    """Make errors name the target file, not the temporary one."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _passing_name(directory: Path) -> Path:
    return directory / f".ndks-{secrets.token_hex(8)}"


def _refuse_without_place(path: Path) -> None:
    refuse_long_name(path)
    if not path.parent.is_dir():
        raise FileError(f"there is no directory {path.parent}", "create it, or name another")


def _exists(path: Path, option: str = "-o") -> FileError:
    return FileError(f"{path} exists", f"name another file, {option} OTHER, or repeat with --force to overwrite it")


def _open_unnamed(directory: Path, mode: int) -> int | None:
    """Open an unnamed file; return None where the system does not support that."""
    if hasattr(os, "O_TMPFILE") and _DESCRIPTORS.is_dir():
        with contextlib.suppress(OSError):  # not every file system supports it
            return os.open(directory, os.O_TMPFILE | os.O_RDWR, mode)
    return None
