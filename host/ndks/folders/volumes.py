# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Volumes: the stream of a folder in pieces, the text of a capsule each (docs/folders.md).

text    = mark 16 | id 16 | number u32 | before 37 | a piece of the stream
before  = the header of the capsule of the volume before, zeros in the first one

Every text but the last one has TEXT_SIZE bytes, the last one has fewer: that proves the end. A header belongs to one
text only, so the chain of headers proves that all volumes were made in one go, in this order, and none is missing.
"""

import struct
from dataclasses import dataclass

from ..files import Sink, Source, read_some
from .errors import refused

MARK = b"ndks folder v1\0\n"
TEXT_SIZE = 1 << 26  # bytes of the text of a volume that is not the last one
ID_SIZE = 16
HEADER_SIZE = 37  # bytes of a header of a capsule
FIRST = bytes(HEADER_SIZE)

_HEAD = struct.Struct(f">{len(MARK)}s{ID_SIZE}sI{HEADER_SIZE}s")
HEAD_SIZE = _HEAD.size


@dataclass(frozen=True, slots=True)
class Place:
    """The head of a volume: which folder it is of, its number from 0 on, and the header of the volume before."""

    folder: bytes
    number: int
    before: bytes

    @property
    def head(self) -> bytes:
        return _HEAD.pack(MARK, self.folder, self.number, self.before)

    def after(self, header: bytes) -> "Place":
        """Return the place after this volume, whose capsule has this header."""
        return Place(self.folder, self.number + 1, header)


def stream_size() -> int:
    """Return the number of bytes of the stream in a volume that is not the last one."""
    return TEXT_SIZE - HEAD_SIZE


class VolumeText:
    """A source: the text of one volume, with as much of the stream as it takes."""

    def __init__(self, place: Place, stream: Source) -> None:
        self._head = place.head
        self._left = stream_size()
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        head, self._head = self._head, b""
        part = self._stream.read(min(self._left, size - len(head))) or b""
        self._left -= len(part)
        return head + part

    @property
    def is_last(self) -> bool:
        """Whether the stream ended in this volume, when all of it was read."""
        return self._left > 0


class VolumeSink:
    """A sink for the text of a volume, which passes its piece of the stream on to another one. FolderError."""

    def __init__(self, place: Place | None, sink: Sink) -> None:
        self.size = 0
        self._expected = place
        self._head = b""
        self._sink = sink

    def write(self, data: bytes, /) -> None:
        self.size += len(data)
        if len(self._head) < HEAD_SIZE:
            missing = HEAD_SIZE - len(self._head)
            self._head += data[:missing]
            data = data[missing:]
            if len(self._head) == HEAD_SIZE:
                self._check_head()
        if data:
            self._sink.write(data)

    def flush(self) -> None:
        """Do nothing: nothing waits."""

    def finish(self) -> bool:
        """Return whether the volume, which is verified, is the last one. FolderError."""
        if len(self._head) < HEAD_SIZE or self.size > TEXT_SIZE:
            raise refused("this is no volume of a folder")
        return self.size < TEXT_SIZE

    @property
    def place(self) -> Place:
        return Place(*_HEAD.unpack(self._head)[1:])

    def _check_head(self) -> None:
        mark, folder, number, before = _HEAD.unpack(self._head)
        if mark != MARK:
            raise refused("this is no volume of a folder")
        expected = self._expected or Place(folder, 0, FIRST)
        if folder != expected.folder:
            raise refused(f"volume {expected.number + 1} is of another folder")
        if number != expected.number:
            raise refused(f"volume {number + 1} stands where volume {expected.number + 1} belongs")
        if before != expected.before:
            raise refused(f"volume {number + 1} does not belong after the one before it")


class Limited:
    """A source: the next bytes of another one, at most `size`."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._left = size

    def read(self, size: int, /) -> bytes | None:
        part = read_some(self._source, min(size, self._left)) if self._left else b""
        self._left -= len(part or b"")
        return part
