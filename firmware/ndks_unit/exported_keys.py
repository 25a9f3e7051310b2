# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exported keys: NEXT_INDEX, KEY_CHUNK, ACKNOWLEDGE (PROTOCOL.md section 3)."""

import struct

from ndks_protocol import commands, errors
from ndks_protocol.exported import export_mask_key, is_exportable
from ndks_protocol.kdf import wipe, xor_keystream

from .flash.records import EXPORT_COUNTER
from .paper_bits import PaperBits

_COUNTER = ">IQ"  # epoch, next index


class ExportCounter:
    """The next index of the common lane, exact and in flash."""

    def __init__(self, log, epoch: int):
        self._log = log
        self._epoch = epoch
        body = log.body(EXPORT_COUNTER)
        counted_epoch, value = struct.unpack(_COUNTER, body) if body else (epoch, 1)
        self.next = value if counted_epoch == epoch else 1

    def advance_to(self, value: int) -> None:
        """Make `value` the next index, unless it has been passed already."""
        if value <= self.next:
            return
        body = self._log.body(EXPORT_COUNTER)
        if body == struct.pack(_COUNTER, self._epoch, value - 1):
            self._log.count(EXPORT_COUNTER)
        else:
            self._log.append(EXPORT_COUNTER, struct.pack(_COUNTER, self._epoch, value))
        self.next = value


class KeyReader:
    """Reads bytes of exported keys; remembers the one it read last, whose set-up is what takes time."""

    def __init__(self, board, member):
        self._board = board
        self._member = member
        self._paper = None
        self._mask_key = bytearray()

    def wipe(self) -> None:
        """Overwrite the key of the mask."""
        wipe(self._mask_key)

    def read(self, index: int, offset: int, size: int) -> "bytearray | memoryview":
        """Return `size` bytes of key `index` from byte `offset` on."""
        if self._paper is None or self._paper.index != index:
            paper = PaperBits(self._board, self._member.generator, index)
            mask_key = bytearray(export_mask_key(self._board, self._member.secret, index))
            # Together or not at all: should one of them fail, the next request must not mix two keys.
            self._paper, self._mask_key = paper, mask_key
        data = self._paper.read(offset, size)
        return xor_keystream(self._board, self._mask_key, offset, data) if self._member.masked else data


def next_index(unit) -> tuple:
    if not is_exportable(unit.counter.next):
        raise errors.UnitError(errors.RANGE)
    return unit.member.epoch, unit.counter.next


def key_chunk(unit, epoch: int, index: int, offset: int, size: int) -> tuple:
    _check(unit, epoch, index)
    if not 1 <= size <= commands.MAX_CHUNK or offset + size > commands.MAX_KEY_BYTES:
        raise errors.UnitError(errors.RANGE)
    return (unit.keys.read(index, offset, size),)


def acknowledge(unit, epoch: int, index: int, allow_jump: int) -> tuple:
    errors.check_flag(allow_jump)
    _check(unit, epoch, index)
    if index > unit.counter.next + commands.MAX_JUMP and not allow_jump:
        raise errors.UnitError(errors.TOO_FAR)
    unit.counter.advance_to(index + 1)
    return (unit.counter.next,)


def _check(unit, epoch: int, index: int) -> None:
    if epoch != unit.member.epoch:
        raise errors.UnitError(errors.EPOCH)
    if not is_exportable(index):
        raise errors.UnitError(errors.RANGE)
