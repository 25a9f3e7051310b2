# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit's state in flash: an append-only log of records (PROTOCOL.md section 7).

Strategy: the newest valid record of a type wins, wherever it lies. nvm is only erased when a verified snapshot of
all of them lies in a file, so that a power cut at any moment leaves the old state or the new one.
"""

from ndks_protocol import errors
from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES

from .records import (
    COUNTERS,
    CURRENT_FORMAT,
    SIZE,
    STATE_FORMAT,
    counted,
    encode,
    extent,
    key_of,
    kind_of,
    merge,
    round_up,
    scan,
)

_PIECE = 256  # bytes read back at once: a fragmented heap may have no room for more


class RecordLog:
    """The newest record of each type (of windows, for each lane), and how to add one."""

    def __init__(self, board):
        self._image = bytearray(NVM_SIZE)  # kept: when it is needed, the heap may have no such piece left
        self._board = board
        self._bodies = {}
        self._sequence = 0
        self._slot_sequence = [0] * len(SNAPSHOT_FILES)
        in_snapshots = {}
        for slot in range(len(SNAPSHOT_FILES)):
            records, _ = self._read_snapshot(slot)
            self._slot_sequence[slot] = max([record.sequence for record in records.values()] + [0])
            merge(in_snapshots, records)
        image = board.nvm_read(0, SIZE)
        in_nvm, end = scan(self._board, image, True)
        self._end = max(end, round_up(len(image.rstrip(b"\xff"))))
        image = b""
        newest = dict(in_snapshots)
        merge(newest, in_nvm)
        # By key, where the free tail bytes of its newest record start and end; one in a snapshot has none.
        self._tails = {key: record.tail for key, record in in_nvm.items() if record is newest[key]}
        for key, record in newest.items():
            self._sequence = max(self._sequence, record.sequence)
            self._bodies[key] = record.body
        if self.format <= CURRENT_FORMAT:
            self._complete_nvm(in_snapshots, in_nvm)

    def body(self, key: int):
        """Return the body of the newest record of a type (or `window_key`), None when there is none."""
        return self._bodies.get(key)

    def number_of(self, kind: int) -> int:
        """Return how many records of a type there are, each with a key of its own."""
        return len([key for key in self._bodies if kind_of(key) == kind])

    @property
    def format(self) -> int:
        """Version of the format of the records."""
        body = self.body(STATE_FORMAT)
        return body[0] if body else CURRENT_FORMAT

    @property
    def used(self) -> int:
        """Bytes of nvm that have been written since the last erase."""
        return self._end

    @property
    def size(self) -> int:
        """Bytes of nvm that the log may fill before it compacts itself."""
        return SIZE

    def append(self, kind: int, body: bytes) -> None:
        """Write a record; it is in flash when this returns. UnitError(STORAGE) when that cannot be."""
        if self._end + extent(kind, len(body)) > SIZE:
            self._compact()
        if self._end + extent(kind, len(body)) > SIZE:
            raise errors.UnitError(errors.STORAGE)
        start = self._end
        self._sequence += 1
        record = encode(self._board, kind, body, self._sequence)
        # Also when the write fails: what it left is no longer blank, and may supersede the record that had the tail.
        self._end += extent(kind, len(body))
        key = key_of(kind, body)
        self._tails.pop(key, None)
        self._program(start, record)
        self._bodies[key] = body
        if kind in COUNTERS:
            self._tails[kind] = (start + len(record), self._end)

    def count(self, kind: int) -> None:
        """Add one to a counter: one byte of its tail, or a new record when the tail is used up."""
        body = counted(self._bodies[kind], 1)
        start, end = self._tails.get(kind, (0, 0))
        if start == end:
            self.append(kind, body)
            return
        self._tails[kind] = (start + 1, end)
        self._program(start, b"\0")
        self._bodies[kind] = body

    def _program(self, offset: int, data: bytes) -> None:
        try:
            self._board.nvm_write(offset, data)
        except OSError:  # of an emulated one: its disk is full
            raise errors.UnitError(errors.STORAGE) from None
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            if self._board.nvm_read(offset + start, len(piece)) != piece:
                raise errors.UnitError(errors.STORAGE)

    def _read_snapshot(self, slot: int) -> tuple:
        try:
            return scan(self._board, self._board.snapshot_read(slot, 0, NVM_SIZE), False)
        except OSError:  # missing: reported by `snapshots_writable`
            return {}, 0

    def _complete_nvm(self, in_snapshots: dict, in_nvm: dict) -> None:
        """Bring to nvm what lies in a snapshot alone: a power cut in a compaction, or damage, has left it there.

        From then on snapshots may be overwritten.
        """
        missing = self._missing(in_nvm)
        try:
            if missing and not self._missing(in_snapshots):
                self._start_nvm(*self._make_image())  # nothing in nvm is needed
            else:
                for key in missing:
                    self.append(kind_of(key), self._bodies[key])
        except errors.UnitError:
            pass  # keys can be read all the same; every command that writes will say STORAGE

    def _missing(self, records: dict) -> list:
        return [key for key, body in self._bodies.items() if key not in records or records[key].body != body]

    def _compact(self) -> None:
        """Write all newest records to the older snapshot, read it back, and only then start nvm anew with them."""
        image, end, tails = self._make_image()
        slot = self._slot_sequence.index(min(self._slot_sequence))
        self._write_snapshot(slot, image)
        self._slot_sequence[slot] = self._sequence
        self._start_nvm(image, end, tails)

    def _make_image(self) -> tuple:
        """Return all newest records as one image, where they end in it, and the tails of counters."""
        image = self._image
        for start in range(0, NVM_SIZE, _PIECE):
            image[start : start + _PIECE] = b"\xff" * _PIECE
        tails = {}
        end = 0
        for key in sorted(self._bodies, key=kind_of):  # the state format first
            kind, body = kind_of(key), self._bodies[key]
            self._sequence += 1
            record = encode(self._board, kind, body, self._sequence)
            image[end : end + len(record)] = record
            start, end = end + len(record), end + extent(kind, len(body))
            if kind in COUNTERS:
                tails[key] = (start, end)
        return image, end, tails

    def _start_nvm(self, image: bytearray, end: int, tails: dict) -> None:
        # Should the write fail, nothing is known of nvm but that it is not blank.
        self._end, self._tails = SIZE, {}
        self._program(0, image)
        self._end, self._tails = end, tails

    def _write_snapshot(self, slot: int, image: bytearray) -> None:
        try:
            self._board.snapshot_write(slot, image)
            for start in range(0, len(image), _PIECE):
                piece = self._board.snapshot_read(slot, start, _PIECE)
                if piece != image[start : start + _PIECE]:
                    raise errors.UnitError(errors.STORAGE)
        except OSError:
            raise errors.UnitError(errors.STORAGE) from None
