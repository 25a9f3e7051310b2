# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Storage of records: nvm and two snapshot files, overwritten in turn (PROTOCOL.md section 7).

The last 32 bytes of a snapshot are the SHA-256 of the rest. A snapshot with a wrong digest is ignored.
"""

# pyright: reportUnnecessaryComparison=false
# (pyright assumes that bytes never equal a bytearray)

from ndks_protocol import errors
from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES

from ..board import Board
from .records import ALIGNMENT, BODY, SIZE, extent, plausible, round_up

NVM = len(SNAPSHOT_FILES)  # the place after those of the snapshots
_NOWHERE = NVM + 1
_PIECE = 256  # bytes to read or compare at once: a fragmented heap may have no larger block


class Storage:
    """Access to the records in nvm and in the newest intact snapshot."""

    def __init__(self, board: Board):
        self._board = board
        self._image = bytearray(NVM_SIZE)  # allocated at start: later the heap may have no contiguous block
        self.scratch = memoryview(self._image)  # for the record to be written
        self._snapshot = _NOWHERE

    def scan(self) -> tuple[dict[int, tuple[int, int, int, int]], int, int]:
        """Scan nvm and the newest intact snapshot.

        Return the newest candidate of each type as (sequence number, place, offset, size), the highest sequence number
        of the snapshot, and the offset of the free part of nvm.
        """
        found = {}
        newest = -1
        self._snapshot = _NOWHERE
        for slot in range(len(SNAPSHOT_FILES)):
            in_slot: dict[int, tuple[int, int, int, int]] = {}
            if self._load(slot):
                self._collect(slot, in_slot)
                highest = max([entry[0] for entry in in_slot.values()] + [0])
                if highest > newest:
                    newest, found, self._snapshot = highest, in_slot, slot
        self._load(NVM)
        end = self._collect(NVM, found)
        for start in range(SIZE - SIZE % _PIECE, -1, -_PIECE):
            written = self._image[start : min(start + _PIECE, SIZE)].rstrip(b"\xff")
            if written:
                end = max(end, round_up(start + len(written)))
                break
        return found, max(newest, 0), end

    def find_older(self, kind: int, below: tuple[int, int, int]) -> "tuple[int, int, int, int] | None":
        """Return the newest candidate of a type before `below` (sequence number, place, offset), or None."""
        found: dict[int, tuple[int, int, int, int]] = {}
        for place in (self._snapshot, NVM):
            if place != _NOWHERE and self._load(place):
                self._collect(place, found, kind, below)
        return found.get(kind)

    def read(self, place: int, offset: int, size: int) -> bytes:
        """Return bytes of nvm or of a snapshot."""
        if place == NVM:
            return self._board.nvm_read(offset, size)
        return self._board.snapshot_read(place, offset, size)

    def program(self, offset: int, data: "bytes | bytearray | memoryview") -> None:
        """Write to nvm and verify. UnitError(STORAGE)."""
        try:
            self._board.nvm_write(offset, data)
        except OSError:  # on an emulated unit: the disk is full
            raise errors.UnitError(errors.STORAGE) from None
        for start in range(0, len(data), _PIECE):
            piece = bytes(data[start : start + _PIECE])
            if self._board.nvm_read(offset + start, len(piece)) != piece:
                raise errors.UnitError(errors.STORAGE)

    def start_nvm(self) -> None:
        """Rewrite nvm with the image unless they are equal. UnitError(STORAGE)."""
        for start in range(0, NVM_SIZE, _PIECE):
            if self._board.nvm_read(start, _PIECE) != self._image[start : start + _PIECE]:
                self.program(0, self._image)
                return

    def blank_image(self) -> bytearray:
        """Fill the image with FF and return it."""
        for start in range(0, NVM_SIZE, _PIECE):
            self._image[start : start + _PIECE] = b"\xff" * _PIECE
        return self._image

    def write_snapshot(self) -> None:
        """Write the image to the unused snapshot file and verify it. UnitError(STORAGE)."""
        slot = 0 if self._snapshot != 0 else 1
        self.write_to(slot)
        self._snapshot = slot

    def write_to(self, slot: int) -> None:
        """Write the image to a snapshot file and verify it. UnitError(STORAGE)."""
        ending = self._image[SIZE:]
        self._image[SIZE:] = self._digest()
        try:
            self._board.snapshot_write(slot, self._image)
            for start in range(0, NVM_SIZE, _PIECE):
                if self._board.snapshot_read(slot, start, _PIECE) != self._image[start : start + _PIECE]:
                    raise errors.UnitError(errors.STORAGE)
        except OSError:
            raise errors.UnitError(errors.STORAGE) from None
        finally:
            self._image[SIZE:] = ending  # nvm has no digest

    def _load(self, place: int) -> bool:
        """Read a place into the image, and return whether it is intact."""
        self._board.feed_watchdog()
        try:
            for start in range(0, NVM_SIZE, _PIECE):
                piece = self.read(place, start, _PIECE)
                if len(piece) != _PIECE:  # the file is too short
                    return False
                self._image[start : start + _PIECE] = piece
        except OSError:  # the file is missing; `snapshots_writable` reports it
            return False
        return place == NVM or self._digest() == self._image[SIZE:]

    def _digest(self) -> bytes:
        digest = self._board.sha256()
        digest.update(memoryview(self._image)[:SIZE])
        return digest.digest()

    def _collect(
        self,
        place: int,
        found: dict[int, tuple[int, int, int, int]],
        only: int = 0,
        below: "tuple[int, int, int] | None" = None,
    ) -> int:
        """Add the newest candidates in the image to `found`, and return the end of the last one.

        The records of a snapshot are contiguous. In nvm a record may be torn, so the next one may start at any multiple
        of ALIGNMENT.
        """
        image = self._image
        end = offset = 0
        while offset < SIZE - BODY:
            record = plausible(image, offset)
            if record is None:
                offset += ALIGNMENT
                continue
            kind, size, sequence = record
            here = offset
            end = max(end, offset + extent(kind, size))
            offset += ALIGNMENT if place == NVM else extent(kind, size)
            if (only and kind != only) or (below and (sequence, place, here) >= below):
                continue
            if kind not in found or (sequence, place, here) >= found[kind][:3]:
                found[kind] = (sequence, place, here, size)
        return end
