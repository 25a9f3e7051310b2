# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A walk through a folder by descriptors: no link is followed, and nothing is opened by a path."""

import errno
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..exceptions import FileError, UsageError, reason
from ..printable import printable
from .entries import ROOT
from .names import sorted_names
from .rules import CHANGED, DEVICE, FIFO, LINK, MOST_LEVELS, MOUNT, SOCKET, VANISHED, Notes

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# O_NONBLOCK: a FIFO that took the place of a file is not waited for.
_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_TICK = 0.02  # seconds; more than the clock is late from which file systems take their times
_GONE = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO}  # or something else has taken its place


@dataclass(slots=True)
class Found:
    """A file or folder: its path in the folder, its name in the open `directory`, and its status."""

    path: str
    name: str
    directory: int
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)


@dataclass(slots=True)
class _Level:
    directory: int
    prefix: str  # of paths
    names: Iterator[str]


def need_descriptors() -> None:
    """UsageError on a system that cannot open a file in an open folder."""
    if os.open not in os.supports_dir_fd or os.scandir not in os.supports_fd:
        raise UsageError("this system has no descriptors of folders", "use Linux or macOS, or pack the folder with tar")


def open_folder(path: Path) -> int:
    """Open a folder that the user named, also through a link. FileError."""
    need_descriptors()
    try:
        return os.open(path, _FOLDER & ~getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason(error)}", "check the path and its permissions") from None


def open_inside(name: str, directory: int, *, is_folder: bool) -> int:
    """Open a file or folder in an open one, never through a link. OSError."""
    return os.open(name, _FOLDER if is_folder else _FILE, dir_fd=directory)


def unreadable(path: str, error: OSError) -> FileError:
    advice = "make it readable, or move it away, and repeat"
    return FileError(f"{printable(path)} in the folder cannot be read: {reason(error)}", advice)


class Walk:
    """The files and folders in a folder, each folder before what it has, sorted by the bytes of their names."""

    def __init__(self, folder: Path, notes: Notes) -> None:
        self.notes: Notes | None = notes  # None: nothing is noted, as it was noted before
        self._levels: list[_Level] = []
        directory = open_folder(folder)
        status = os.fstat(directory)
        self.root = Found(ROOT, "", directory, status)
        self._device = status.st_dev
        self._begun = time.time_ns()
        time.sleep(_TICK)
        self._push(directory, "")

    def close(self) -> None:
        while self._levels:
            os.close(self._levels.pop().directory)

    @property
    def here(self) -> int:
        """The descriptor of the folder that was yielded last."""
        return self._levels[-1].directory

    def note(self, kind: str, path: str) -> None:
        if self.notes:
            self.notes.add(kind, path)

    def __iter__(self) -> Iterator[Found]:
        """Yield the folder itself, then all in it. FileError for what cannot be read."""
        yield self.root
        while self._levels:
            level = self._levels[-1]
            name = self._next_name(level)
            if name is None:
                os.close(self._levels.pop().directory)
            elif (found := self._found(level, name)) and (not found.is_folder or self._enter(found)):
                yield found

    def _next_name(self, level: _Level) -> str | None:
        try:
            return next(level.names, None)
        except OSError as error:
            raise unreadable(level.prefix or ROOT, error) from None

    def _found(self, level: _Level, name: str) -> Found | None:
        path = level.prefix + name
        if not _is_utf8(name):
            raise FileError(f"the name of {printable(path)} is not UTF-8", "rename it, and repeat")
        try:
            status = os.stat(name, dir_fd=level.directory, follow_symlinks=False)
        except FileNotFoundError:
            self.note(VANISHED, path)
            return None
        except OSError as error:
            raise unreadable(path, error) from None
        if kind := self._left_out(status):
            self.note(kind, path)
            return None
        return Found(path, name, level.directory, status)

    def _left_out(self, status: os.stat_result) -> str:
        mode = status.st_mode
        if stat.S_ISREG(mode):
            return ""  # on an overlay, each file may have the device of its layer
        if stat.S_ISDIR(mode):
            return MOUNT if status.st_dev != self._device else ""
        return (
            LINK if stat.S_ISLNK(mode) else SOCKET if stat.S_ISSOCK(mode) else FIFO if stat.S_ISFIFO(mode) else DEVICE
        )

    def _enter(self, found: Found) -> bool:
        if len(self._levels) >= MOST_LEVELS:
            raise FileError(f"{printable(found.path)} lies more than {MOST_LEVELS} folders deep", "pack it by itself")
        try:
            directory = open_inside(found.name, found.directory, is_folder=True)
        except OSError as error:
            if error.errno in _GONE:
                self.note(VANISHED, found.path)
                return False
            raise unreadable(found.path, error) from None
        found.status = os.fstat(directory)
        if found.status.st_dev != self._device:  # mounted since
            os.close(directory)
            self.note(MOUNT, found.path)
            return False
        if found.status.st_ctime_ns > self._begun:  # what was moved out of it may lie where the walk was already
            self.note(CHANGED, found.path)
        self._push(directory, f"{found.path}/")
        return True

    def _push(self, directory: int, prefix: str) -> None:
        self._levels.append(_Level(directory, prefix, sorted_names(directory, prefix, self.note)))


def open_file(found: Found) -> int | None:
    """Open a file; None: it is gone, or something else has taken its place. FileError."""
    try:
        descriptor = open_inside(found.name, found.directory, is_folder=False)
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise unreadable(found.path, error) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return None
    found.status = status
    return descriptor


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def measure(folder: Path) -> tuple[int, int]:
    """Return the bytes and the number of the files in a folder. FileError."""
    walk = Walk(folder, Notes())
    try:
        sizes = [0, 0]
        for found in walk:
            if not found.is_folder:
                sizes[0] += found.status.st_size
                sizes[1] += 1
        return sizes[0], sizes[1]
    finally:
        walk.close()
