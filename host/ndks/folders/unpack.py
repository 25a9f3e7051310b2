# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The writer of a folder: by descriptors of folders that it has made itself, so that no name leads outside."""

import os
import stat
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..exceptions import FileError
from ..printable import printable
from .entries import PERMISSIONS, ROOT, Entry
from .removal import NO_SUCH_MODE, allow, open_again, remove_after
from .rules import MODE, TIME, Notes

_CLOSED = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _CLOSED
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CLOSED
_PRIVATE_FOLDER, _PRIVATE = 0o700, 0o600


class FolderWriter:
    """The receiver that makes a folder in `place`, an empty one of its own."""

    def __init__(self, place: Path) -> None:
        self.notes = Notes()
        self._folders: list[tuple[int, str, int, int]] = []  # descriptor, name, mode, time
        self._file = -1
        self._entry: tuple[str, int, int] = ("", 0, 0)  # name, mode, time of the open file
        self._written = 0
        self._root = os.open(place, _FOLDER)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        while self._folders:
            os.close(self._folders.pop()[0])
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def enter(self, entry: Entry, name: str) -> None:
        if not self._folders:
            descriptor, self._root = self._root, -1
        else:
            self._make(name)
            descriptor = os.open(name, _FOLDER, dir_fd=self._here)
        self._folders.append((descriptor, name, entry.mode, entry.time))

    def leave(self) -> None:
        descriptor, name, mode, time = self._folders.pop()
        self._settle(descriptor, name, mode, time)

    def begin(self, entry: Entry, name: str) -> None:
        try:
            self._file = os.open(name, _NEW, _PRIVATE, dir_fd=self._here)
        except OSError as error:
            raise _not_to_be_had(name, error) from None
        self._entry = name, entry.mode, entry.time
        self._written = 0

    def content(self, data: memoryview) -> None:
        while data:
            taken = os.write(self._file, data)
            self._written += taken
            data = data[taken:]

    def end(self) -> None:
        descriptor, self._file = self._file, -1
        self._settle(descriptor, *self._entry)

    def state(self) -> dict[str, Any]:
        """Return what is open, for `go_on`."""
        return {
            "folders": [folder[1:] for folder in self._folders],
            "file": [*self._entry, self._written] if self._file >= 0 else None,
            "noted": asdict(self.notes),
        }

    def go_on(self, state: dict[str, Any], last: list[str]) -> None:
        """Open again what was open, and remove what came after it; `last` has the last names of the open folders.

        FileError if the folder has less than it had. KeyError, TypeError, ValueError.
        """
        self.notes = Notes.of(state["noted"])
        try:
            for level, (name, mode, time) in enumerate(state["folders"]):
                self._enter_again(name, int(mode), int(time))
                remove_after(self._here, last[level])
            if state["file"]:
                self._open_again(*state["file"])
        except OSError as error:
            raise FileError("the unfinished folder was altered", "repeat with --force to start again") from error

    def _enter_again(self, name: str, mode: int, time: int) -> None:
        if not self._folders:
            descriptor, self._root = self._root, -1
        else:
            descriptor = open_again(_one_name(name), self._here)
        self._folders.append((descriptor, name, mode, time))

    def _open_again(self, name: str, mode: int, time: int, written: int) -> None:
        allow(_one_name(name), self._here)
        self._file = os.open(name, os.O_WRONLY | _CLOSED, dir_fd=self._here)
        status = os.fstat(self._file)
        if not stat.S_ISREG(status.st_mode) or status.st_size < written or status.st_nlink > 1:
            raise OSError
        os.ftruncate(self._file, written)
        os.lseek(self._file, written, os.SEEK_SET)
        self._entry, self._written = (name, mode, time), written

    def _settle(self, descriptor: int, name: str, mode: int, time: int) -> None:
        """Give mode and time to a file or folder in the open one, and close it."""
        try:
            _give_mode(descriptor, mode)
            os.utime(descriptor, ns=(time, time))
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if status.st_mode & PERMISSIONS != mode:
            self.notes.add(MODE, self._path(name))
        if status.st_mtime_ns != time:
            self.notes.add(TIME, self._path(name))

    def _path(self, name: str) -> str:
        return "/".join([*(folder[1] for folder in self._folders[1:]), name]) or ROOT

    def _make(self, name: str) -> None:
        try:
            os.mkdir(name, _PRIVATE_FOLDER, dir_fd=self._here)
        except OSError as error:
            raise _not_to_be_had(name, error) from None

    @property
    def _here(self) -> int:
        return self._folders[-1][0]


def _give_mode(descriptor: int, mode: int) -> None:
    try:
        os.fchmod(descriptor, mode)
    except OSError as error:
        if error.errno not in NO_SUCH_MODE:
            raise


def _one_name(name: str) -> str:
    """Return a name that leads to what lies in the open folder. ValueError, TypeError for any other."""
    if "/" in name or name in ("", ".", ".."):
        raise ValueError
    return name


def _not_to_be_had(name: str, error: OSError) -> OSError | FileError:
    """Return the error for a name that is taken, though no name comes twice; other errors as they are."""
    if isinstance(error, FileExistsError):
        what = f"this file system takes {printable(name)} for another name beside it"
        return FileError(what, "name a target on a file system that tells upper and lower case apart")
    error.filename = printable(name)
    return error
