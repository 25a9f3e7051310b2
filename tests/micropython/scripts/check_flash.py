# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of flash.json: the writes of a unit, the completion of interrupted operations, and single records."""

from conversation import Conversation
from harness import expect, run
from memory_board import MemoryBoard

from ndks_protocol.flash import NVM_SIZE
from ndks_unit.flash.records import RecordKeys

_ERASED = 0xFF

conversation = Conversation()


def check_step(case: dict) -> None:
    conversation.step(case)
    if "flash" in case:
        _expect_flash(case["flash"])


def begin_again(case: dict) -> None:
    """Start a unit with this flash."""
    conversation.start(case)
    for image, pieces in _images(case["flash"]):
        for i in range(NVM_SIZE):
            image[i] = _ERASED
        for offset, text in pieces:
            piece = bytes.fromhex(text)
            image[offset : offset + len(piece)] = piece


def check_start(flash: dict) -> None:
    conversation.restart()
    _expect_flash(flash)


def check_record(case: dict) -> None:
    keys = RecordKeys(MemoryBoard())
    keys.set_auth(bytes.fromhex(case["A"]))
    keys.set_kek(bytes.fromhex(case["KEK"]))
    body, record = bytes.fromhex(case["body"]), bytes.fromhex(case["record"])
    expect(bytes(keys.encode(case["type"], body, case["seq"])), record)
    expect(keys.decode(record), body)
    for position in (0, 6, 8, 23) + ((24, 23 + len(body)) if body else ()):
        altered = bytearray(record)
        altered[position] ^= 1
        expect(keys.decode(bytes(altered)), None)


def _expect_flash(flash: dict) -> None:
    for image, pieces in _images(flash):
        position = 0
        for offset, text in pieces:
            piece = bytes.fromhex(text)
            _expect_blank(image, position, offset)
            position = offset + len(piece)
            expect(image[offset:position], piece)
        _expect_blank(image, position, NVM_SIZE)


def _expect_blank(image: bytearray, start: int, end: int) -> None:
    for i in range(start, end):
        if image[i] != _ERASED:
            raise AssertionError(f"flash is not erased at {i}")


def _images(flash: dict) -> list:
    """Return each image with its expected content without trailing FF."""
    nvm, *snapshots = conversation.board.images
    return [(nvm, flash["nvm"])] + [(snapshots[i], flash["snapshots"][i]) for i in range(len(snapshots))]


run(
    {
        "unit": conversation.start,
        "step": check_step,
        "interrupted": begin_again,
        "next_start": check_start,
        "record": check_record,
    }
)
