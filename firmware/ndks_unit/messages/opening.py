# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers for received messages: OPEN_BEGIN, OPEN_CHUNK, OPEN_KEYS, ACCEPT, and MESSAGE_STREAM, MESSAGE_CHECK.

In mode a the host gets the keys of one message. It never gets header keys, the keys of other messages, or keys to open
a message of its own unit.
"""

from ndks_protocol import errors, wire
from ndks_protocol.capsule import SYNC_SIZE, Header, MessageKeys, Opener

from ..state import State
from .in_progress import Incoming

_FLAGS = wire.AGAIN | wire.ALLOW_JUMP
_HANDLE_SIZE = 8


def open_begin(state: State, masked: bytes, flags: int) -> tuple[bytes, int, int, int, int, int]:
    header, keys = _open(state, masked, flags)
    handle = state.board.entropy(_HANDLE_SIZE)
    state.member.begin_opening(Incoming(handle, keys, Opener(state.board, keys), state.piece))
    return handle, header.lane, header.number, header.cipher, header.kind, state.member.epoch


def open_keys(state: State, masked: bytes, flags: int) -> tuple[object, ...]:
    header, keys = _open(state, masked, flags)
    handle = state.board.entropy(_HANDLE_SIZE)
    state.member.begin_opening(Incoming(handle, keys, None, state.piece))
    sync = keys.sync or bytes(SYNC_SIZE)
    return handle, header.lane, header.number, keys.tag_key, sync, header.kind, state.member.epoch, keys.aes_key


def open_chunk(state: State, handle: bytes, number: int, last: int, chunk: "bytes | memoryview") -> tuple[memoryview]:
    message = state.member.incoming
    if message is None or message.handle != handle:
        raise errors.UnitError(errors.CONFLICT)
    return (message.open(number, last, chunk),)


def message_stream(state: State, message: bytes, offset: int, size: int) -> tuple[memoryview]:
    keys = _keys_in_mode_a(state, message)
    if keys.aes_key:
        raise errors.UnitError(errors.CONFLICT)
    if not 1 <= size <= wire.MAX_CHUNK:
        raise errors.UnitError(errors.RANGE)
    view = state.piece[:size]
    keys.keystream_into(view, offset)
    return (view,)


def message_check(state: State, message: bytes, size: int) -> tuple[bytes]:
    return (_keys_in_mode_a(state, message).check(size),)


def accept(state: State, masked: bytes, allow_jump: int) -> tuple[()]:
    errors.check_flag(allow_jump)
    header = _header(state, masked)
    if header.kind != wire.DATA:
        raise errors.UnitError(errors.KIND)
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


def _open(state: State, masked: bytes, flags: int) -> tuple[Header, MessageKeys]:
    """Check that a capsule may be opened, and return its header and keys."""
    if flags & ~_FLAGS:
        raise errors.UnitError(errors.RANGE)
    header = _header(state, masked)
    window = state.windows.of(header.lane)
    if not flags & wire.AGAIN:
        state.windows.check_room(header.lane)
        window.check_unseen(header.number)
    if not flags & wire.ALLOW_JUMP:
        window.check_near(header.number)
    return header, state.member.message_keys(header, state.windows.binding_id_of(header.lane))


def _header(state: State, masked: bytes) -> Header:
    header = state.member.header_keys.unmask(masked)
    header.check(state.member.suite, state.member.lane)
    if header.kind == wire.OF_CONTROL:
        raise errors.UnitError(errors.KIND)
    return header


def _keys_in_mode_a(state: State, message: bytes) -> MessageKeys:
    outgoing, incoming = state.sealing.current, state.member.incoming
    if outgoing and outgoing.token == message and outgoing.in_mode_a:
        return outgoing.keys
    if incoming and incoming.handle == message and incoming.in_mode_a:
        return incoming.keys
    raise errors.UnitError(errors.CONFLICT)
