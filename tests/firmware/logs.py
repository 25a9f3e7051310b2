# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Record logs whose records can all be read and written, without the unit around them."""

import struct

from hosts.network import BINDING

from ndks.crypto import CRYPTO
from ndks_emulator import MemoryFlash
from ndks_emulator.board import EmulatedBoard
from ndks_emulator.lines import MemoryLine
from ndks_protocol.binding import BindingKeys
from ndks_unit.flash.record_log import RecordLog
from ndks_unit.flash.records import EXPORT_COUNTER


def board_of(flash: MemoryFlash) -> EmulatedBoard:
    return EmulatedBoard(flash, MemoryLine())


def loaded(flash: MemoryFlash) -> RecordLog:
    """The log as a unit has it that starts now."""
    log = RecordLog(board_of(flash))
    log.load()
    return log


def opened(flash: MemoryFlash, binding: bytes = BINDING) -> RecordLog:
    """The same, unlocked."""
    log = loaded(flash)
    log.set_auth(BindingKeys(CRYPTO, binding).auth)
    log.unlock(BindingKeys(CRYPTO, binding).kek)
    return log


def counter(value: int) -> bytes:
    """The body of an EXPORT_COUNTER."""
    return struct.pack(">IQ", 0, value)


def counter_of(log: RecordLog) -> int:
    body = log.body(EXPORT_COUNTER)
    assert body
    return struct.unpack(">IQ", body)[1]
