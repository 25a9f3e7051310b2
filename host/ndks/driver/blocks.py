# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A message or capsule as blocks: one piece or chunk at a time, or as many at a time as have arrived."""

import errno
import io
from collections.abc import Callable, Iterator

from ndks_protocol import errors
from ndks_protocol.capsule import CHUNK, FIRST_PIECE, TAG_SIZE

from ..files import Source, read_some

WIRE_CHUNK = CHUNK + TAG_SIZE
BATCH = 96 * WIRE_CHUNK  # bytes read at once: glibc takes larger buffers, from 128 KB on, from the kernel each time

Block = tuple[int, int, bytes]  # number of its first piece or chunk, whether it is the last, content
Progress = Callable[[int], object]  # called with the number of bytes read since the last call


class CountedBlocks:
    """Blocks that count their bytes as they are read, once."""

    def __init__(self, blocks: Iterator[Block], progress: Progress) -> None:
        self.size = 0
        self._blocks = blocks
        self._progress = progress

    def __iter__(self) -> Iterator[Block]:
        for block in self._blocks:
            yield block
            self.size += len(block[2])
            self._progress(len(block[2]))


class LookAhead:
    """A source that can be asked for its length before it is read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._ahead = b""

    def is_longer_than(self, size: int) -> bool:
        """Whether more than `size` bytes follow; reads no further than that."""
        self._ahead = read_up_to(self, size + 1)
        return len(self._ahead) > size

    def read(self, size: int, /) -> bytes | None:
        """Return some bytes, at most `size`; b"" at the end; None if there are none yet."""
        if not self._ahead:
            return read_some(self._source, size)
        part, self._ahead = self._ahead[:size], self._ahead[size:]
        return part


class Again(LookAhead):
    """A source whose first bytes were read, and come again."""

    def __init__(self, first: bytes, source: Source) -> None:
        super().__init__(source)
        self._ahead = first

    def pass_over(self, size: int) -> None:
        """Skip `size` bytes, at least as many as come again; what is not a pipe is not read."""
        size -= len(self._ahead)
        self._ahead = b""
        if type(self._source) is io.BufferedReader and self._source.seekable():  # its subclasses may do more in `read`
            self._source.seek(size, io.SEEK_CUR)
            return
        while size and (part := _some(self._source, min(size, BATCH))):
            size -= len(part)


def pieces_of(source: Source, progress: Progress, *, batched: bool) -> CountedBlocks:
    """Return the data of `source` in pieces of the size that a capsule needs; if batched, many in a block."""
    cut = _batches if batched else _blocks
    return CountedBlocks(cut(source, FIRST_PIECE, CHUNK), progress)


def chunks_of(source: Source, progress: Progress, *, batched: bool) -> CountedBlocks:
    """Return the chunks of a capsule after its header; if batched, many in a block. UnitError AUTH."""
    cut = _batches if batched else _blocks
    return CountedBlocks(_with_tag(cut(source, WIRE_CHUNK, WIRE_CHUNK)), progress)


def read_up_to(source: Source, size: int) -> bytes:
    """Return `size` bytes, or fewer at the end. A pipe may return a part, so read again. OSError."""
    block = b""
    while len(block) < size and (part := _some(source, size - len(block))):
        block += part
    return block


def _with_tag(chunks: Iterator[Block]) -> Iterator[Block]:
    for number, last, chunk in chunks:
        if len(chunk) <= TAG_SIZE:
            raise errors.UnitError(errors.AUTH)  # cut off
        yield number, last, chunk


def _blocks(source: Source, first: int, others: int) -> Iterator[Block]:
    """Yield all of `source` in blocks of these sizes, at least one; only the last one may be shorter."""
    for number, last, batch in _batches(source, first, others):
        begin = 0 if number else first - others  # as if the first one were as long
        for each, start in enumerate(range(begin, max(1, len(batch)), others), number):
            yield each, last, batch[max(0, start) : start + others]


def _batches(source: Source, first: int, others: int) -> Iterator[Block]:
    """Yield the same, as many in one as have arrived; the last one is alone, as it is sealed and opened differently."""
    number, waiting = 0, b""
    while part := _some(source, BATCH):
        waiting += part
        further = (len(waiting) - 1 - first) // others  # after the first one, with at least one byte after them
        if further < 0:
            continue
        end = first + further * others
        yield number, 0, waiting[:end]
        number, waiting, first = number + 1 + further, waiting[end:], others
    yield number, 1, waiting


def _some(source: Source, size: int) -> bytes:
    """Return some bytes, at most `size`; none only at the end. OSError."""
    part = read_some(source, size)
    if part is None:  # no data yet, which is not the end
        raise BlockingIOError(errno.EAGAIN, "the input is non-blocking and has no data yet")
    return part
