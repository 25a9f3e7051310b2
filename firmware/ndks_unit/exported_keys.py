# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers for exported keys: NEXT_INDEX, KEY_CHUNK, ACKNOWLEDGE (PROTOCOL.md section 3)."""

from ndks_protocol import errors, wire
from ndks_protocol.exported import is_exportable

from .state import State


def next_index(state: State) -> tuple[int, int]:
    member = state.member
    if member.exports.next > wire.MAX_IN_TURN:
        raise errors.UnitError(errors.RANGE)
    return member.epoch, member.exports.next


def key_chunk(state: State, epoch: int, index: int, offset: int, size: int) -> tuple[memoryview]:
    member = state.member
    if epoch != member.epoch and state.roles:
        member = state.roles.seldom().kept(state.roles, epoch)
    _check(member.epoch, epoch, index)
    if not 1 <= size <= wire.MAX_CHUNK or offset + size > wire.MAX_KEY_BYTES:
        raise errors.UnitError(errors.RANGE)
    view = state.piece[:size]
    member.keys.read_into(view, index, offset)
    return (view,)


def acknowledge(state: State, epoch: int, index: int, allow_jump: int) -> tuple[int]:
    errors.check_flag(allow_jump)
    _check(state.member.epoch, epoch, index)
    if index > wire.MAX_IN_TURN:
        raise errors.UnitError(errors.RANGE)
    exports = state.member.exports
    if index > exports.next + wire.MAX_JUMP and not allow_jump:
        raise errors.UnitError(errors.TOO_FAR)
    exports.advance_to(index + 1)
    return (exports.next,)


def _check(present: int, epoch: int, index: int) -> None:
    if epoch != present:
        raise errors.UnitError(errors.EPOCH)
    if not is_exportable(index):
        raise errors.UnitError(errors.RANGE)
