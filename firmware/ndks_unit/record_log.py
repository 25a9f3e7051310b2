# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit's state in flash: an append-only log of records (PROTOCOL.md section 7).

    record: type u8 (FF = blank) | size u16 | sequence number u32 | 00 | tag 16 | body, padded with 00 to 16 bytes
    plain record, type F0 to FE: tag = SHA-256(first 8 bytes || body)[:16]

Strategy: the newest valid record of a type wins, wherever it lies. nvm is only erased when a verified snapshot of
all of them lies in a file, so that a power cut at any moment leaves the old state or the new one.
"""

import struct

from ndks_protocol import errors
from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES

# Types of records, all plain until bindings exist
STATE_FORMAT = 0xF0
MEMBERSHIP = 0xF3
EXPORT_COUNTER = 0xF4

_COUNTERS = (EXPORT_COUNTER,)  # their body ends with a u64; a tail of FF follows, each byte programmed to 00 adds one
_TAIL = 64
_ALIGNMENT = 16
_HEADER = ">BHIB"
_HEADER_SIZE = 8
_BODY = 24  # offset of the body
_SIZE = NVM_SIZE - 32  # the last 32 bytes stay free for the marker of an erasure
_BLANK = 0xFF


class RecordLog:
    """The newest record of each type, and how to add one."""

    def __init__(self, board):
        self._board = board
        self._bodies = {}
        self._sequences = {}
        self._tails = {}  # by type, where the free tail bytes of its newest record in nvm start and end
        self._slot_sequence = [0] * len(SNAPSHOT_FILES)
        self._sequence = 0
        for slot in range(len(SNAPSHOT_FILES)):
            try:
                image = board.snapshot_read(slot)
            except OSError:
                continue  # reported by `snapshots_writable`
            before, self._sequence = self._sequence, 0
            self._load(image, False)
            self._slot_sequence[slot] = self._sequence
            self._sequence = max(before, self._sequence)
        image = board.nvm_read(0, _SIZE)
        end = self._load(image, True)
        self._end = max(end, _round_up(len(image.rstrip(b"\xff"))))

    def body(self, kind: int):
        """Return the body of the newest record of a type, None when there is none."""
        return self._bodies.get(kind)

    @property
    def used(self) -> int:
        """Bytes of nvm that have been written since the last erase."""
        return self._end

    @property
    def size(self) -> int:
        """Bytes of nvm that the log may fill before it compacts itself."""
        return _SIZE

    def append(self, kind: int, body: bytes) -> None:
        """Write a record; it is in flash when this returns. UnitError(STORAGE) when that cannot be."""
        if self._end + _extent(kind, len(body)) > _SIZE:
            self._compact()
        if self._end + _extent(kind, len(body)) > _SIZE:
            raise errors.UnitError(errors.STORAGE)
        start = self._end
        self._sequence += 1
        record = self._encode(kind, body, self._sequence)
        self._end += _extent(kind, len(body))  # also when the write fails: what it left there is no longer blank
        self._program(start, record)
        self._remember(kind, body, self._sequence)
        if kind in _COUNTERS:
            self._tails[kind] = (start + len(record), self._end)

    def count(self, kind: int) -> None:
        """Add one to a counter: one byte of its tail, or a new record when the tail is used up."""
        body = _counted(self._bodies[kind], 1)
        start, end = self._tails.get(kind, (0, 0))
        if start == end:
            self.append(kind, body)
            return
        self._tails[kind] = (start + 1, end)
        self._program(start, b"\0")
        self._bodies[kind] = body

    def _program(self, offset: int, data: bytes) -> None:
        self._board.nvm_write(offset, data)
        if self._board.nvm_read(offset, len(data)) != data:
            raise errors.UnitError(errors.STORAGE)

    def _remember(self, kind: int, body: bytes, sequence: int) -> None:
        self._bodies[kind] = body
        self._sequences[kind] = sequence

    def _encode(self, kind: int, body: bytes, sequence: int) -> bytes:
        header = struct.pack(_HEADER, kind, len(body), sequence, 0)
        record = header + self._tag(header, body) + body
        return record + bytes(-len(record) % _ALIGNMENT)

    def _tag(self, header: bytes, body: bytes) -> bytes:
        digest = self._board.sha256()
        digest.update(header)
        digest.update(body)
        return digest.digest()[:16]

    def _load(self, image: bytes, in_nvm: bool) -> int:
        """Take over what is newer in an image; return where its last valid record ends."""
        offset = end = 0
        limit = min(len(image), _SIZE)  # a file may have been cut short
        while offset + _BODY <= limit:
            kind, size, sequence, zero = struct.unpack_from(_HEADER, image, offset)
            body = image[offset + _BODY : offset + _BODY + size]
            header = image[offset : offset + _HEADER_SIZE]
            if (
                not 0xF0 <= kind < _BLANK
                or zero
                or offset + _extent(kind, size) > limit
                or self._tag(header, body) != image[offset + _HEADER_SIZE : offset + _BODY]
            ):
                offset += _ALIGNMENT
                continue
            end = offset + _extent(kind, size)
            # A record in nvm and its copy in a snapshot have the same number; steps are counted in nvm only.
            if sequence >= self._sequences.get(kind, 0):
                if kind in _COUNTERS:
                    # A byte that a power cut left half programmed counts: an index is rather burnt than given twice.
                    steps = len(image[end - _TAIL : end].rstrip(b"\xff"))
                    body = _counted(body, steps)
                    if in_nvm:
                        self._tails[kind] = (end - _TAIL + steps, end)
                self._remember(kind, body, sequence)
            self._sequence = max(self._sequence, sequence)
            offset = end
        return end

    def _compact(self) -> None:
        """Write all newest records to the older snapshot, read it back, and only then start nvm anew with them."""
        image = b""
        tails = {}
        for kind in sorted(self._bodies):
            self._sequence += 1
            body = self._bodies[kind]
            record = self._encode(kind, body, self._sequence)
            extent = _extent(kind, len(body))
            if kind in _COUNTERS:
                tails[kind] = (len(image) + len(record), len(image) + extent)
            image += record + b"\xff" * (extent - len(record))
        end = len(image)
        image += b"\xff" * (NVM_SIZE - end)
        slot = self._slot_sequence.index(min(self._slot_sequence))
        self._write_snapshot(slot, image)
        self._slot_sequence[slot] = self._sequence
        self._program(0, image)
        self._end, self._tails = end, tails
        for kind in self._bodies:
            self._sequences[kind] = self._sequence

    def _write_snapshot(self, slot: int, image: bytes) -> None:
        try:
            self._board.snapshot_write(slot, image)
            written = self._board.snapshot_read(slot)
        except OSError:
            raise errors.UnitError(errors.STORAGE) from None
        if written != image:
            raise errors.UnitError(errors.STORAGE)


def _round_up(size: int) -> int:
    return size + -size % _ALIGNMENT


def _extent(kind: int, size: int) -> int:
    """Bytes from the start of a record to the next one, the tail of a counter included."""
    return _round_up(_BODY + size) + (_TAIL if kind in _COUNTERS else 0)


def _counted(body: bytes, steps: int) -> bytes:
    return body[:-8] + struct.pack(">Q", struct.unpack(">Q", body[-8:])[0] + steps)
