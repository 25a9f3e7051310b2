# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Append-only log of records in flash (PROTOCOL.md section 7).

Strategy: the newest valid record of a type wins, in nvm or in the newest intact snapshot. nvm is erased only after a
snapshot of all records has been written and verified, so a power cut leaves either the old state or the new one.
"""

import struct

from ndks_protocol import errors
from ndks_protocol.kdf import wipe

from ..board import Board
from . import records
from .records import COUNTERS, CURRENT_FORMAT, OPEN, PLAIN, SEALED, SIZE, TAIL, RecordKeys, counted, extent
from .snapshots import NVM, Storage

_STATE = ">BI"  # format, erases
_MAX_ERASES = 0xFFFFFFFF


class RecordLog:
    """The newest record of each type. Sealed records are available between `unlock` and `lock`."""

    def __init__(self, board: Board):
        self.storage = Storage(board)
        self.keys = RecordKeys(board)
        self._board = board
        self._bodies: "dict[int, bytes | bytearray]" = {}  # sealed ones are bytearrays, overwritten when they go

    def load(self) -> None:
        """Read flash again. Only plain records are available afterwards."""
        self.keys = RecordKeys(self._board)
        self._bodies = {}
        self._tails: dict[
            int, tuple[int, int]
        ] = {}  # by type: start and end of the unused tail bytes of the newest record in nvm
        # By type: sequence number, place, offset, size of the newest record; a candidate until its tag is verified.
        self.found, self._sequence, self._end = self.storage.scan()
        self.read(PLAIN)
        self.read((records.JOINING_KEY,))

    def set_auth(self, auth: bytes) -> None:
        """Read the open records."""
        self.keys.set_auth(auth)
        self.read(OPEN)

    def unlock(self, kek: bytes) -> None:
        """Read the sealed records."""
        self.keys.set_kek(kek)
        self.read(SEALED)

    def lock(self) -> None:
        """Overwrite the sealed records and their keys."""
        self.keys.wipe()
        for kind in SEALED:
            self.drop(kind)

    def body(self, kind: int) -> "bytes | bytearray | None":
        """Return the body of the newest record of a type, or None."""
        return self._bodies.get(kind)

    @property
    def format(self) -> int:
        """The state format of the records."""
        body = self.body(records.STATE_FORMAT)
        return body[0] if body else CURRENT_FORMAT

    @property
    def erases(self) -> int:
        """The number of erases of nvm in the life of this unit."""
        body = self.body(records.STATE_FORMAT)
        return struct.unpack(_STATE, body)[1] if body and len(body) == struct.calcsize(_STATE) else 0

    @property
    def used(self) -> int:
        """The number of bytes of nvm written since the last erase."""
        return self._end

    @property
    def has_remains(self) -> bool:
        """Whether nvm of a blank unit has more than an erasure leaves: a joining key, or a part of one."""
        kept = [self._bodies[kind] for kind in (records.STATE_FORMAT, records.TAMPERED) if kind in self._bodies]
        return self._end > sum([extent(records.STATE_FORMAT, len(body)) for body in kept])

    @property
    def size(self) -> int:
        """The capacity of the log in bytes. A full log is compacted."""
        return SIZE

    def append(self, kind: int, body: "bytes | bytearray") -> None:
        """Write a record to flash and verify it. UnitError(STORAGE)."""
        if self._end + extent(kind, len(body)) > SIZE:
            self.compact()
        if self._end + extent(kind, len(body)) > SIZE:
            raise errors.UnitError(errors.STORAGE)
        start = self._end
        self._sequence += 1
        record = self.keys.encode_into(self.storage.scratch, kind, body, self._sequence)
        kept = _copy(kind, body)  # before the write: if memory runs out, flash must have nothing that this log lacks
        # Before the write: a failed write leaves bytes that are not blank, and may supersede the record with the tail.
        self._end += extent(kind, len(body))
        self._tails.pop(kind, None)
        self.storage.program(start, record)
        self._put(kind, kept)
        self.found[kind] = (self._sequence, NVM, start, len(body))
        if kind in COUNTERS:
            self._tails[kind] = (start + len(record), self._end)

    def replace(self, kind: int, body: "bytes | bytearray") -> None:
        """Make this the body of a type, which the next compaction writes."""
        self._put(kind, _copy(kind, body))

    def drop(self, kind: int) -> None:
        """Forget a type: the next compaction leaves it out."""
        body = self._bodies.pop(kind, None)
        if isinstance(body, bytearray):
            wipe(body)

    def count(self, kind: int) -> None:
        """Add one to a counter: program one byte of its tail, or append a record if the tail is used up."""
        body = counted(self._bodies[kind], 1)
        start, end = self._tails.get(kind, (0, 0))
        if start == end:
            self.append(kind, body)
            return
        self._tails[kind] = (start + 1, end)
        self.storage.program(start, b"\0")
        self._bodies[kind] = body

    def complete(self) -> None:
        """Copy records that exist only in a snapshot to nvm, after an interrupted compaction or damage.

        Both snapshots may be overwritten afterwards.
        """
        missing = [kind for kind in self._bodies if self.found[kind][1] != NVM]
        if records.BINDING in missing and self.keys.complete:
            self.compact()  # nvm may be full of records of another binding
        elif missing and len(missing) == len(self._bodies):
            self.start_nvm(*self.make_image())  # no record in nvm is needed
        else:
            for kind in missing:
                if self.found[kind][1] != NVM:  # a compaction in this loop may have copied it
                    self.append(kind, self._bodies[kind])

    def compact(self) -> None:
        """Write all newest records to the unused snapshot file, verify it, then rewrite nvm with them."""
        if not self.keys.complete and self.body(records.BINDING):
            raise errors.UnitError(errors.STORAGE)
        end, found = self.make_image()
        self.storage.write_snapshot()
        self.start_nvm(end, found)

    def start_without_secrets(self) -> None:
        """Rewrite nvm of a blank unit without its joining key and torn records. UnitError(STORAGE).

        There is nothing else to lose, so no snapshot is written: no file ever holds a joining key.
        """
        if self.has_remains:
            self.start_nvm(*self.make_image())

    def settle(self, body: "bytes | bytearray") -> None:
        """Remove all records of the previous binding."""
        self._bodies[records.BINDING] = body
        self.compact()

    def make_image(self) -> tuple[int, dict[int, tuple[int, int, int, int]]]:
        """Make an image of all newest records for an erased nvm; return their end and the location of each."""
        self.storage.blank_image()
        image = self.storage.scratch
        found: dict[int, tuple[int, int, int, int]] = {}
        end = 0
        erases = self.erases
        self._bodies[records.STATE_FORMAT] = format_body(erases + 1)
        for kind in PLAIN + OPEN + SEALED:
            body = self._bodies.get(kind)
            if body is None:
                continue
            self._sequence += 1
            self.keys.encode_into(image[end:], kind, body, self._sequence)
            found[kind] = (self._sequence, NVM, end, len(body))
            end += extent(kind, len(body))
        self._bodies[records.STATE_FORMAT] = format_body(erases)
        return end, found

    def start_nvm(self, end: int, found: dict[int, tuple[int, int, int, int]]) -> None:
        """Rewrite nvm with the image that `make_image` has just made. UnitError(STORAGE)."""
        # Until the write succeeds, assume that nvm is full.
        self._end, self._tails = SIZE, {}
        self._bodies.pop(records.JOINING_KEY, None)
        self._bodies[records.STATE_FORMAT] = format_body(self.erases + 1)
        self.storage.start_nvm()
        self._end, self.found = end, found
        for kind in COUNTERS:
            if kind in found:
                _, _, offset, size = found[kind]
                after = offset + extent(kind, size)
                self._tails[kind] = (after - TAIL, after)

    def read(self, kinds: tuple[int, ...]) -> None:
        """Take the newest candidate of each type whose tag is right."""
        for kind in kinds:
            found = self.found.get(kind)
            while found:
                _, place, offset, size = found
                record = self.storage.read(place, offset, records.BODY + size)
                body = self.keys.decode(record)
                if body is not None:
                    self._keep(kind, body, found)
                    break
                # The record is torn, damaged or of another binding: try the next older one.
                found = self.storage.find_older(kind, found[:3])

    def _put(self, kind: int, body: "bytes | bytearray") -> None:
        self.drop(kind)
        self._bodies[kind] = body

    def _keep(self, kind: int, body: "bytes | bytearray", found: tuple[int, int, int, int]) -> None:
        sequence, place, offset, size = found
        if place == NVM and kind in COUNTERS:
            end = offset + extent(kind, size)
            tail = self.storage.read(NVM, end - TAIL, TAIL)
            # A partly programmed byte counts as one: skip an index rather than issue it twice.
            steps = len(tail.rstrip(b"\xff"))
            body = counted(body, steps)
            self._tails[kind] = (end - TAIL + steps, end)
        self._sequence = max(self._sequence, sequence)
        self._bodies[kind] = body
        self.found[kind] = found


def _copy(kind: int, body: "bytes | bytearray") -> "bytes | bytearray":
    return bytearray(body) if kind in SEALED else body


def format_body(erases: int) -> bytes:
    """Return the body of the record STATE_FORMAT."""
    return struct.pack(_STATE, CURRENT_FORMAT, min(erases, _MAX_ERASES))
