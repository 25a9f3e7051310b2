# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The view of a unit's flash, and the unit itself, are not misled by what only looks like a record."""

import struct
from pathlib import Path

import flash_reference as reference

from .story import Story


def test_what_looks_like_a_record_within_another_is_none(tmp_path: Path) -> None:
    """One sealed record in some thousands has such bytes; here the older snapshot seems the newer one by them."""
    story = Story(tmp_path)
    story.provision()
    story.bind()
    story.compact()
    flash = story.desk.unit.flash
    flash.nvm.content[:] = b"\xff" * reference.NVM_SIZE  # as a power cut leaves it between its erase and its writing
    before = story.view
    older = min(flash.snapshots, key=lambda sector: _sequence(bytes(sector.content)))
    membership = _offset_of(bytes(older.content), reference.MEMBERSHIP)
    struct.pack_into(">BHIB", older.content, membership + 32, reference.WINDOWS, 40, 0xFFFF0000, 0)
    older.content[:] = reference.snapshot(bytes(older.content))
    assert story.view == before
    story.desk.power_up()
    story.desk.greeted().unlock()
    assert story.view.membership == before.membership != b""


def _sequence(image: bytes) -> int:
    """Return the sequence number of the first record of an image, or 0 for none."""
    kind, _, sequence, _ = struct.unpack_from(">BHIB", image)
    return sequence if kind != 0xFF else 0


def _offset_of(image: bytes, wanted: int) -> int:
    offset = 0
    while True:
        kind, size, _, _ = struct.unpack_from(">BHIB", image, offset)
        if kind == wanted:
            return offset
        offset += reference.extent(kind, size)
