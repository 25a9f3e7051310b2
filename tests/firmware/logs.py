# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Record logs without a unit; all of their records can be read and written."""

import struct

from hosts.network import BINDING

from ndks.crypto import CRYPTO
from ndks_emulator import MemoryFlash
from ndks_emulator.board import EmulatedBoard
from ndks_emulator.lines import MemoryLine
from ndks_protocol.binding import BindingKeys
from ndks_unit.flash.record_log import RecordLog
from ndks_unit.flash.records import EXPORT_COUNTER, MEMBERSHIP

JUMP_RECORD = 112  # size in bytes of the record that a jump writes


def board_of(flash: MemoryFlash) -> EmulatedBoard:
    return EmulatedBoard(flash, MemoryLine())


def loaded(flash: MemoryFlash) -> RecordLog:
    """Return the log as after a start of the unit."""
    log = RecordLog(board_of(flash))
    log.load()
    return log


def opened(flash: MemoryFlash, binding: bytes = BINDING) -> RecordLog:
    """Return the log as after a start and UNLOCK."""
    log = loaded(flash)
    log.set_auth(BindingKeys(CRYPTO, binding).auth)
    log.unlock(BindingKeys(CRYPTO, binding).kek)
    return log


def counter(value: int) -> bytes:
    """Return the body of an EXPORT_COUNTER record."""
    return struct.pack(">IQ", 0, value)


def counter_of(log: RecordLog) -> int:
    body = log.body(EXPORT_COUNTER)
    assert body
    return struct.unpack(">IQ", body)[1]


def check_it_goes_on(flash: MemoryFlash, log: RecordLog) -> None:
    """Check that records written after the damage are found again, and that nothing was erased."""
    erases, value = flash.nvm.erases, counter_of(log)
    log.count(EXPORT_COUNTER)
    log.append(MEMBERSHIP, b"new")
    again = opened(flash)
    assert (counter_of(again), again.body(MEMBERSHIP)) == (value + 1, b"new")
    assert flash.nvm.erases == erases
