# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Record logs whose records can all be read and written, without the unit around them."""

import struct

from ndks.crypto import CRYPTO
from ndks_protocol.binding import BindingKeys
from ndks_unit.flash.record_log import RecordLog
from ndks_unit.flash.records import EXPORT_COUNTER

from .member import BINDING
from .memory_board import MemoryBoard


def opened(board: MemoryBoard, binding: bytes = BINDING) -> RecordLog:
    """The log of a board that starts now, unlocked."""
    log = RecordLog(board)
    log.load()
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
