# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Erasure of all state, on request or after tampering (PROTOCOL.md section 7).

A marker in nvm is written first; the next start completes an interrupted erasure. The files are erased before nvm,
which has the marker. The remaining records have only the number of erases and whether the cause was tampering.
"""

from ndks_protocol import errors
from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES

from ..board import Board
from . import records
from .record_log import format_body
from .snapshots import Storage

ON_PURPOSE = b"\0"
BY_TAMPERING = b"\1"

_MARKER_SIZE = NVM_SIZE - records.SIZE
_MIN_MATCHING = 4  # matching bytes of the 16-byte tag that prove a torn marker


def find_unfinished(board: Board) -> bytes:
    """Return the cause of an unfinished erasure, or b"".

    The marker may be torn. A part of its tag is then enough, because nothing else writes to this place.
    """
    found = board.nvm_read(records.SIZE, _MARKER_SIZE)
    keys = records.RecordKeys(board)
    for cause in (BY_TAMPERING, ON_PURPOSE):
        marker = _marker(keys, cause)
        right = [found[i] == marker[i] for i in range(records.TAG, records.BODY)]
        if right.count(True) >= _MIN_MATCHING:
            return cause
    return b""


def erase(board: Board, storage: Storage, erases: int, cause: bytes) -> None:
    """Erase files and nvm. UnitError(STORAGE): the files are not writable; nvm and the marker in it then stay."""
    keys = records.RecordKeys(board)
    try:
        _write_marker(board, _marker(keys, cause))
    except OSError:  # on an emulated unit: the disk is full
        raise errors.UnitError(errors.STORAGE) from None
    image = storage.blank_image()
    left = keys.encode(records.STATE_FORMAT, format_body(erases + 1), 1)
    if cause == BY_TAMPERING:
        left += keys.encode(records.TAMPERED, cause, 2)
    image[: len(left)] = left
    failure = None
    for slot in range(len(SNAPSHOT_FILES)):
        try:
            storage.write_to(slot)
        except errors.UnitError as error:
            failure = error
    if failure:
        raise failure
    storage.start_nvm()


def _write_marker(board: Board, marker: bytes) -> None:
    """Write the marker, or complete a torn one byte by byte. This never erases the sector."""
    found = board.nvm_read(records.SIZE, _MARKER_SIZE)
    if found == b"\xff" * _MARKER_SIZE:
        board.nvm_write(records.SIZE, marker)
        return
    for i in range(_MARKER_SIZE):
        if found[i] == 0xFF != marker[i]:
            board.nvm_write(records.SIZE + i, marker[i : i + 1])


def _marker(keys: records.RecordKeys, cause: bytes) -> bytes:
    return bytes(keys.encode(records.ERASING, cause, 0))
