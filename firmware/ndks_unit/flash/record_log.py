# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit's state in flash: an append-only log of records (PROTOCOL.md section 7).

Strategy: the newest valid record of a type wins, in nvm or in the newest whole snapshot. nvm is only erased when a
verified snapshot of all of them lies in a file, so that a power cut at any moment leaves the old state or the new one.
"""

import struct

from ndks_protocol import errors
from ndks_protocol.kdf import wipe

from ..board import Board
from . import records
from .records import COUNTERS, CURRENT_FORMAT, OPEN, PLAIN, SEALED, SIZE, TAIL, RecordKeys, counted, extent
from .snapshots import NVM, Storage

_STATE = ">BI"  # format, erases
_MOST_ERASES = 0xFFFFFFFF


class RecordLog:
    """The newest record of each type, and how to add one. Sealed ones are there from `unlock` to `lock`."""

    def __init__(self, board: Board):
        self.storage = Storage(board)
        self.keys = RecordKeys(board)
        self._board = board
        self._bodies: "dict[int, bytes | bytearray]" = {}  # those of sealed ones are overwritten

    def load(self) -> None:
        """Read flash anew; sealed records stay closed."""
        self.keys = RecordKeys(self._board)
        self._bodies = {}
        self._tails: dict[
            int, tuple[int, int]
        ] = {}  # by type, where the free tail bytes of its newest record in nvm start and end
        # By type: sequence number, place, offset, size of the newest that can be read; before that, that may be one.
        self._found, self._sequence, self._end = self.storage.scan()
        self._read(PLAIN)

    def set_auth(self, auth: bytes) -> None:
        """Read the open records too."""
        self.keys.set_auth(auth)
        self._read(OPEN)

    def unlock(self, kek: bytes) -> None:
        """Read the sealed records too."""
        self.keys.set_kek(kek)
        self._read(SEALED)

    def lock(self) -> None:
        """Forget sealed records and what opens them."""
        self.keys.wipe()
        for kind in SEALED:
            body = self._bodies.pop(kind, None)
            if isinstance(body, bytearray):
                wipe(body)

    def body(self, kind: int) -> "bytes | bytearray | None":
        """Return the body of the newest record of a type, None when there is none."""
        return self._bodies.get(kind)

    @property
    def format(self) -> int:
        """Version of the format of the records."""
        body = self.body(records.STATE_FORMAT)
        return body[0] if body else CURRENT_FORMAT

    @property
    def erases(self) -> int:
        """How often nvm was erased in the life of this unit."""
        body = self.body(records.STATE_FORMAT)
        return struct.unpack(_STATE, body)[1] if body and len(body) == struct.calcsize(_STATE) else 0

    @property
    def used(self) -> int:
        """Bytes of nvm that have been written since the last erase."""
        return self._end

    @property
    def size(self) -> int:
        """Bytes of nvm that the log may fill before it compacts itself."""
        return SIZE

    def append(self, kind: int, body: "bytes | bytearray") -> None:
        """Write a record; it is in flash when this returns. UnitError(STORAGE) when that cannot be."""
        if self._end + extent(kind, len(body)) > SIZE:
            self.compact()
        if self._end + extent(kind, len(body)) > SIZE:
            raise errors.UnitError(errors.STORAGE)
        start = self._end
        self._sequence += 1
        record = self.keys.encode(kind, body, self._sequence)
        # Also when the write fails: what it left is no longer blank, and may supersede the record that had the tail.
        self._end += extent(kind, len(body))
        self._tails.pop(kind, None)
        self.storage.program(start, record)
        self._bodies[kind] = bytearray(body) if kind in SEALED else body
        self._found[kind] = (self._sequence, NVM, start, len(body))
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
        self.storage.program(start, b"\0")
        self._bodies[kind] = body

    def complete(self) -> None:
        """Bring to nvm what lies in a snapshot alone: a power cut in a compaction, or damage, has left it there.

        From then on snapshots may be overwritten.
        """
        missing = [kind for kind in self._bodies if self._found[kind][1] != NVM]
        if records.BINDING in missing and self.keys.complete:
            self.compact()  # nvm may be full of what was sealed under another binding
        elif missing and len(missing) == len(self._bodies):
            self._start_nvm(*self._make_image())  # nothing in nvm is needed
        else:
            for kind in missing:
                if self._found[kind][1] != NVM:  # not yet, by a compaction
                    self.append(kind, self._bodies[kind])

    def compact(self) -> None:
        """Write all newest records to the older snapshot, read it back, and only then start nvm anew with them."""
        if not self.keys.complete and self.body(records.BINDING):
            raise errors.UnitError(errors.STORAGE)
        end, found = self._make_image()
        self.storage.write_snapshot()
        self._start_nvm(end, found)

    def rebind(self, keys: RecordKeys, body: bytes, settled_body: bytes) -> None:
        """Tag and seal everything with other keys; `body`, of the record BINDING, is the commit.

        A power cut before it leaves a snapshot that nobody needs; after it, `settled_body` is still to be written.
        After a failure nothing here is of use any more: `load` finds out what holds.
        """
        self.compact()  # should the last change of the binding be unfinished, this finishes it; and there is room now
        self._bodies.pop(records.BINDING)
        old_keys, self.keys = self.keys, keys
        try:
            self._make_image()
            self.storage.write_snapshot()
            self.append(records.BINDING, body)
        finally:
            old_keys.wipe()
        self.settle(settled_body)

    def settle(self, body: "bytes | bytearray") -> None:
        """Leave nothing that was sealed under the keys before the present ones."""
        self._bodies[records.BINDING] = body
        self.compact()

    def write_format(self) -> None:
        """Write the format before anything else is written."""
        self.append(records.STATE_FORMAT, format_body(self.erases))

    def _make_image(self) -> tuple[int, dict[int, tuple[int, int, int, int]]]:
        """Make an image of all newest records for an nvm that is erased; return where they end, and where each lies."""
        image = self.storage.blank_image()
        found: dict[int, tuple[int, int, int, int]] = {}
        end = 0
        erases = self.erases
        self._bodies[records.STATE_FORMAT] = format_body(erases + 1)
        for kind in PLAIN + OPEN + SEALED:
            body = self._bodies.get(kind)
            if body is None:
                continue
            self._sequence += 1
            record = self.keys.encode(kind, body, self._sequence)
            image[end : end + len(record)] = record
            found[kind] = (self._sequence, NVM, end, len(body))
            end += extent(kind, len(body))
        self._bodies[records.STATE_FORMAT] = format_body(erases)
        return end, found

    def _start_nvm(self, end: int, found: dict[int, tuple[int, int, int, int]]) -> None:
        # Should the write fail, nothing is known of nvm but that it is not blank.
        self._end, self._tails = SIZE, {}
        self._bodies[records.STATE_FORMAT] = format_body(self.erases + 1)
        self.storage.start_nvm()
        self._end, self._found = end, found
        for kind in COUNTERS:
            if kind in found:
                _, _, offset, size = found[kind]
                after = offset + extent(kind, size)
                self._tails[kind] = (after - TAIL, after)

    def _read(self, kinds: tuple[int, ...]) -> None:
        for kind in kinds:
            found = self._found.get(kind)
            while found:
                _, place, offset, size = found
                record = self.storage.read(place, offset, records.BODY + size)
                body = self.keys.decode(record)
                if body is not None:
                    self._keep(kind, body, found)
                    break
                # Torn, damaged, or of another binding: the next older one.
                found = self.storage.find_older(kind, found[:3])

    def _keep(self, kind: int, body: "bytes | bytearray", found: tuple[int, int, int, int]) -> None:
        sequence, place, offset, size = found
        if place == NVM and kind in COUNTERS:
            end = offset + extent(kind, size)
            tail = self.storage.read(NVM, end - TAIL, TAIL)
            # A byte that a power cut left half programmed counts: an index is rather burnt than given twice.
            steps = len(tail.rstrip(b"\xff"))
            body = counted(body, steps)
            self._tails[kind] = (end - TAIL + steps, end)
        self._sequence = max(self._sequence, sequence)
        self._bodies[kind] = body
        self._found[kind] = found


def format_body(erases: int) -> bytes:
    """Return the body of the record STATE_FORMAT."""
    return struct.pack(_STATE, CURRENT_FORMAT, min(erases, _MOST_ERASES))
