# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers for exported keys: NEXT_INDEX, KEY_CHUNK, ACKNOWLEDGE (PROTOCOL.md section 3)."""

from ndks_protocol import commands, errors
from ndks_protocol.exported import is_exportable

from .state import State


def next_index(state: State) -> tuple[int, int]:
    member = state.member
    if not is_exportable(member.exports.next):
        raise errors.UnitError(errors.RANGE)
    return member.epoch, member.exports.next


def key_chunk(state: State, epoch: int, index: int, offset: int, size: int) -> "tuple[bytearray]":
    _check(state, epoch, index)
    if not 1 <= size <= commands.MAX_CHUNK or offset + size > commands.MAX_KEY_BYTES:
        raise errors.UnitError(errors.RANGE)
    return (state.member.keys.read(index, offset, size),)


def acknowledge(state: State, epoch: int, index: int, allow_jump: int) -> tuple[int]:
    errors.check_flag(allow_jump)
    _check(state, epoch, index)
    exports = state.member.exports
    if index > exports.next + commands.MAX_JUMP and not allow_jump:
        raise errors.UnitError(errors.TOO_FAR)
    exports.advance_to(index + 1)
    return (exports.next,)


def _check(state: State, epoch: int, index: int) -> None:
    if epoch != state.member.epoch:
        raise errors.UnitError(errors.EPOCH)
    if not is_exportable(index):
        raise errors.UnitError(errors.RANGE)
