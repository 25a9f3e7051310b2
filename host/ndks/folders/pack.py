# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A folder as a stream of bytes, which can go on from any place in it as long as the folder is the same."""

import errno
import hashlib
import os
import struct
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from ..exceptions import FileError
from ..printable import printable
from .entries import END, END_OF_TIME, PERMISSIONS, Entry, head_of, padding
from .rules import ATTRIBUTES, CHANGED, HARD_LINK, SPARSE, SPECIAL_MODE, VANISHED, Notes
from .walk import Found, Walk, open_file, unreadable

_MUCH = 1 << 17  # bytes read at once
_BLOCK_OF_STATUS = 512  # bytes, the unit of st_blocks
_NO_ATTRIBUTES = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, errno.EACCES, errno.ENODATA}
_OF_THE_SYSTEM = "security."  # labels that a system gives to all that is in it
_CAPABILITY = "security.capability"  # what a program may do: given by the user

Progress = Callable[[int, int], object]  # called with the numbers of bytes and files since the last call


class OtherFolder(Exception):
    """The folder is not as it was when the first part of its stream was made."""


class PackedFolder:
    """The stream of a folder from byte `position` on: a source.

    `fingerprint` is over names, sizes, modes, times and numbers of all that begins before the bytes that were read. The
    stream goes on where another one with this fingerprint ended; OtherFolder if it is not `expected` there.
    """

    def __init__(self, folder: Path, notes: Notes, progress: Progress, position: int = 0, expected: str = "") -> None:
        self.notes = notes
        self.files = self.folders = self.bytes = 0
        self._progress = progress
        self._skip = position
        self._expected = expected
        self._digest = hashlib.sha256()
        self._walk = Walk(folder, notes)
        if position:
            self._walk.notes = None
        self._parts = self._stream()
        self._rest: bytes | memoryview = b""

    def close(self) -> None:
        self._parts.close()
        self._walk.close()

    @property
    def fingerprint(self) -> str:
        return self._digest.hexdigest()

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes; fewer at the end. FileError, OtherFolder."""
        parts: list[bytes | memoryview] = []
        while size:
            part = self._rest or next(self._parts, b"")
            if not part:
                break
            taken, self._rest = part[:size], part[size:]
            size -= len(taken)
            parts.append(taken)
        return b"".join(parts)

    def _stream(self) -> Generator[bytes]:
        walk, position = iter(self._walk), 0
        while position < self._skip and (found := next(walk, None)):
            entry = _entry(found)
            self._begin(found)
            head = head_of(entry)
            end = position + len(head) + entry.size + padding(entry.size)
            if end > self._skip:
                yield from self._rest_of(found, entry, head, self._skip - position)
            else:
                self._count(entry)
                self._progress(entry.size, 0)
            position = end
        self._check()  # before the next one is looked for: what is left out is noted there
        for found in walk:
            yield from self._entry(found)
        yield END[max(0, self._skip - position) :]

    def _check(self) -> None:
        """Compare the fingerprint where the stream goes on; from there on, notes are made."""
        if self._expected and self._expected != self.fingerprint:
            raise OtherFolder
        self._expected = ""
        self._walk.notes = self.notes

    def _rest_of(self, found: Found, entry: Entry, head: bytes, offset: int) -> Iterator[bytes]:
        """Yield an entry from this offset on, without its first part."""
        self._check()
        if offset < len(head):
            yield head[offset:]
        if entry.is_folder:
            self._count(entry)
            return
        before = found.status
        descriptor = open_file(found)
        if descriptor is None or _numbers(found.status) != _numbers(before):
            if descriptor is not None:
                os.close(descriptor)
            raise OtherFolder
        begun = max(0, offset - len(head))
        self._progress(min(begun, entry.size), 0)
        yield from self._content(found, entry, descriptor, begun)

    def _entry(self, found: Found) -> Iterator[bytes]:
        if found.is_folder:
            self._begin(found)
            entry = _entry(found)
            self._note_losses(found, self._walk.here)
            yield head_of(entry)
            self._count(entry)
            return
        descriptor = open_file(found)
        if descriptor is None:
            self._walk.note(VANISHED, found.path)
            return
        self._begin(found)
        self._note_losses(found, descriptor)
        self._note_losses_of_file(found, descriptor)
        entry = _entry(found)
        head = head_of(entry)
        if entry.size <= _MUCH:
            yield head + b"".join(self._content(found, entry, descriptor, 0))
            return
        yield head
        yield from self._content(found, entry, descriptor, 0)

    def _content(self, found: Found, entry: Entry, descriptor: int, begun: int) -> Iterator[bytes]:
        """Yield the content of a file and the zeros after it, from this byte on; close the file."""
        try:
            if begun:
                os.lseek(descriptor, min(begun, entry.size), os.SEEK_SET)
            left = max(0, entry.size - begun)
            while left:
                data = os.read(descriptor, min(left, _MUCH))
                if not data:
                    what = f"{printable(found.path)} in the folder became shorter while it was read"
                    raise FileError(what, "repeat when nothing writes to it")
                left -= len(data)
                self._progress(len(data), 0)
                yield data
            if _changed(os.fstat(descriptor), found.status):
                self._walk.note(CHANGED, found.path)
        except OSError as error:
            raise unreadable(found.path, error) from None
        finally:
            os.close(descriptor)
        if zeros := padding(entry.size) - max(0, begun - entry.size):
            yield bytes(zeros)
        self._count(entry)

    def _begin(self, found: Found) -> None:
        self._digest.update(found.path.encode() + _numbers(found.status))

    def _count(self, entry: Entry) -> None:
        self.bytes += entry.size
        if entry.is_folder:
            self.folders += 1
        else:
            self.files += 1
            self._progress(0, 1)

    def _note_losses(self, found: Found, descriptor: int) -> None:
        if found.status.st_mode & 0o7000:
            self._walk.note(SPECIAL_MODE, found.path)
        if hasattr(os, "listxattr") and _has_attributes(descriptor):
            self._walk.note(ATTRIBUTES, found.path)

    def _note_losses_of_file(self, found: Found, descriptor: int) -> None:
        status = found.status
        if status.st_nlink > 1:
            self._walk.note(HARD_LINK, found.path)
        if status.st_blocks * _BLOCK_OF_STATUS < status.st_size and _has_hole(descriptor, status.st_size):
            self._walk.note(SPARSE, found.path)


def _entry(found: Found) -> Entry:
    status = found.status
    size = 0 if found.is_folder else status.st_size
    if abs(status.st_mtime_ns) >= END_OF_TIME:
        what = f"{printable(found.path)} in the folder has a time that is too far away"
        raise FileError(what, "give it another with touch, and repeat")
    return Entry(found.path, found.is_folder, status.st_mode & PERMISSIONS, status.st_mtime_ns, size)


def _numbers(status: os.stat_result) -> bytes:
    """Return what differs if a file or folder was written to, or replaced."""
    numbers = status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
    return struct.pack("<5q", *(number & (1 << 63) - 1 for number in numbers))


def _changed(now: os.stat_result, then: os.stat_result) -> bool:
    return (now.st_size, now.st_mtime_ns) != (then.st_size, then.st_mtime_ns)


def _has_hole(descriptor: int, size: int) -> bool:
    try:
        hole = os.lseek(descriptor, 0, os.SEEK_HOLE)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except (OSError, AttributeError):  # a file system, or a system, that does not tell
        return False
    return hole < size


def _has_attributes(descriptor: int) -> bool:
    try:
        names = os.listxattr(descriptor)
    except OSError as error:
        if error.errno in _NO_ATTRIBUTES:
            return False
        raise
    return any(name == _CAPABILITY or not name.startswith(_OF_THE_SYSTEM) for name in names)
