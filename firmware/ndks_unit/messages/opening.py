# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers for received messages: OPEN_BEGIN, OPEN_CHUNK, OPEN_KEYS, ACCEPT, and MESSAGE_STREAM, MESSAGE_CHECK.

In mode a the host gets the keys of one message. It never gets header keys, the keys of other messages, or keys to open
a message of its own unit.
"""

from ndks_protocol import errors, wire
from ndks_protocol.capsule import SYNC_SIZE, Header, MessageKeys, Opener

from ..member import OpenMember
from ..network import attached
from ..state import State
from .in_progress import Incoming, Outgoing

try:
    from typing import Any
except ImportError:  # not on the board, where annotations are not evaluated
    pass

_FLAGS = wire.AGAIN | wire.ALLOW_JUMP | wire.VOUCHED
_MESSAGES = (wire.DATA, wire.HOUSEKEEPING, wire.MESSAGE)
_HANDLE_SIZE = 8


def open_begin(state: State, masked: bytes, flags: int) -> tuple[bytes, int, int, int, int, int]:
    header, keys, member = _open(state, masked, flags)
    handle = state.board.entropy(_HANDLE_SIZE)
    state.begin_opening(Incoming(handle, keys, Opener(state.board, keys), state.piece, member.position))
    return handle, header.lane, header.number, header.cipher, header.kind, member.epoch


def open_keys(state: State, masked: bytes, flags: int) -> tuple[object, ...]:
    header, keys, member = _open(state, masked, flags)
    handle = state.board.entropy(_HANDLE_SIZE)
    state.begin_opening(Incoming(handle, keys, None, state.piece, member.position))
    return (
        handle,
        header.lane,
        header.number,
        keys.tag_key,
        keys.sync or bytes(SYNC_SIZE),
        header.kind,
        member.epoch,
        keys.aes_key,
    )


def open_chunk(state: State, handle: bytes, number: int, last: int, chunk: "bytes | memoryview") -> tuple[memoryview]:
    message = state.incoming
    if message is None or message.handle != handle:
        raise errors.UnitError(errors.CONFLICT)
    data = message.open(number, last, chunk)
    if state.roles and not number:
        state.roles.opened(message.position)
    return (data,)


def message_stream(state: State, message: bytes, offset: int, size: int) -> tuple[memoryview]:
    going_on = _in_progress(state, message)
    keys = going_on.keys
    if not going_on.in_mode_a or keys.aes_key:
        raise errors.UnitError(errors.CONFLICT)
    if not 1 <= size <= wire.MAX_CHUNK:
        raise errors.UnitError(errors.RANGE)
    view = state.piece[:size]
    keys.keystream_into(view, offset)
    return (view,)


def message_check(state: State, message: bytes, size: int) -> tuple[bytes]:
    return (_in_progress(state, message).keys.check(size),)


def accept(state: State, masked: bytes, allow_jump: int) -> tuple[()]:
    errors.check_flag(allow_jump)
    header, _ = _header(state, masked, 0, (wire.DATA,))
    state.windows.check_room(header.lane)
    window = state.windows.of(header.lane)
    try:
        window.check_unseen(header.number)
    except errors.UnitError as error:
        if error.code == errors.DUPLICATE:
            return ()
        raise
    if not allow_jump:
        window.check_near(header.number)
    window.accept(header.number)
    state.windows.store(header.lane, window)
    return ()


def _open(state: State, masked: bytes, flags: int) -> tuple[Header, MessageKeys, OpenMember]:
    """Check that a capsule may be opened, and return its header, its keys, and those of its epoch."""
    if flags & ~_FLAGS:
        raise errors.UnitError(errors.RANGE)
    header, place = _header(state, masked, flags, _MESSAGES)
    window = state.windows.of(header.lane)
    if not flags & wire.AGAIN:
        state.windows.check_room(header.lane)
        window.check_unseen(header.number)
    if not flags & wire.ALLOW_JUMP:
        window.check_near(header.number)
    member = attached(state).member_of(place, header.epoch) if place else state.member
    return header, member.message_keys(header, state.windows.binding_id_of(header.lane)), member


def _header(state: State, masked: bytes, flags: int, kinds: tuple[int, ...]) -> "tuple[Header, Any]":
    """Return the header of a capsule, and its generation, which is None in a network that has only one epoch."""
    if not state.roles:
        member = state.member
        header = member.header_keys.unmask(masked)
        if not header.epoch:
            header.check(member.suite, member.lane)
            if header.kind not in kinds:
                raise errors.UnitError(errors.KIND)
            return header, None
    return attached(state).find(masked, flags, kinds)


def _in_progress(state: State, message: bytes) -> "Incoming | Outgoing":
    outgoing, incoming = state.sealing.current, state.incoming
    if outgoing and outgoing.token == message:
        return outgoing
    if incoming and incoming.handle == message:
        return incoming
    raise errors.UnitError(errors.CONFLICT)
