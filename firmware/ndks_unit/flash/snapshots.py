# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where records lie: nvm, and two snapshot files that are overwritten in turn (PROTOCOL.md section 7).

A snapshot is whole or it does not count: its last 32 bytes are the SHA-256 of all before them.
"""

# pyright: reportUnnecessaryComparison=false
# (it believes that bytes never equal a bytearray)

from ndks_protocol import errors
from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES

from ..board import Board
from .records import ALIGNMENT, BODY, SIZE, extent, plausible, round_up

NVM = len(SNAPSHOT_FILES)  # a place, as the number of a snapshot is one
_NOWHERE = NVM + 1
_PIECE = 256  # bytes read or compared at once: a fragmented heap may have no room for more


class Storage:
    """Finds records and writes images; the newest whole snapshot is the only one that is looked at."""

    def __init__(self, board: Board):
        self._board = board
        self._image = bytearray(NVM_SIZE)  # kept: when it is needed, the heap may have no such piece left
        self._snapshot = _NOWHERE

    def scan(self) -> tuple[dict[int, tuple[int, int, int, int]], int, int]:
        """Return the newest record of each type that there may be, (sequence number, place, offset, size); the highest
        sequence number of the snapshot that counts; and where nvm is free.
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
        """Return the newest plausible record of a type that comes before (sequence number, place, offset); None."""
        found: dict[int, tuple[int, int, int, int]] = {}
        for place in (self._snapshot, NVM):
            if place != _NOWHERE and self._load(place):
                self._collect(place, found, kind, below)
        return found.get(kind)

    def read(self, place: int, offset: int, size: int) -> bytes:
        """Return bytes of nvm or a snapshot."""
        if place == NVM:
            return self._board.nvm_read(offset, size)
        return self._board.snapshot_read(place, offset, size)

    def program(self, offset: int, data: "bytes | bytearray") -> None:
        """Write to nvm and read back. UnitError(STORAGE)."""
        try:
            self._board.nvm_write(offset, data)
        except OSError:  # of an emulated one: its disk is full
            raise errors.UnitError(errors.STORAGE) from None
        for start in range(0, len(data), _PIECE):
            piece = bytes(data[start : start + _PIECE])
            if self._board.nvm_read(offset + start, len(piece)) != piece:
                raise errors.UnitError(errors.STORAGE)

    def start_nvm(self) -> None:
        """Erase nvm and write the image to it, unless it holds that already. UnitError(STORAGE)."""
        for start in range(0, NVM_SIZE, _PIECE):
            if self._board.nvm_read(start, _PIECE) != self._image[start : start + _PIECE]:
                self.program(0, self._image)
                return

    def blank_image(self) -> bytearray:
        """Return the image, FF all over."""
        for start in range(0, NVM_SIZE, _PIECE):
            self._image[start : start + _PIECE] = b"\xff" * _PIECE
        return self._image

    def write_snapshot(self) -> None:
        """Make the image the newest snapshot, in place of the other, and read it back. UnitError(STORAGE)."""
        slot = 0 if self._snapshot != 0 else 1
        self.write_to(slot)
        self._snapshot = slot

    def write_to(self, slot: int) -> None:
        """Write the image to a snapshot file and read it back. UnitError(STORAGE)."""
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
            self._image[SIZE:] = ending  # which is nvm's

    def _load(self, place: int) -> bool:
        """Read a place into the image; tell whether it is whole."""
        self._board.feed_watchdog()
        try:
            for start in range(0, NVM_SIZE, _PIECE):
                piece = self.read(place, start, _PIECE)
                if len(piece) != _PIECE:  # a file was cut short
                    return False
                self._image[start : start + _PIECE] = piece
        except OSError:  # missing: reported by `snapshots_writable`
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
        """Add the newest records that there may be in the image to `found`, and return where the last one ends.

        A snapshot is whole: its records follow one another. In nvm one may have been torn, and anywhere the next begin.
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
