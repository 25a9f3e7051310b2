# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages that come in: OPEN_BEGIN, OPEN_CHUNK, OPEN_KEYS, ACCEPT; and what hosts ask in mode a of either kind.

A host in mode a gets the keys of one message: never those of a header, of another message, or of an own one to open.
"""

from ndks_protocol import commands, errors
from ndks_protocol.capsule import LARGEST_PIECE, SYNC_SIZE, Opener

_FLAGS = commands.AGAIN | commands.ALLOW_JUMP
_HANDLE_SIZE = 8


class Incoming:
    """The message that is being opened in this session; `opener` is None in mode a."""

    def __init__(self, handle: bytes, keys, opener):
        self.handle = handle
        self.keys = keys
        self.opener = opener
        self._view = memoryview(bytearray(LARGEST_PIECE if opener else 0))

    def wipe(self) -> None:
        """Overwrite its keys."""
        self.keys.wipe()
        if self.opener:
            self.opener.wipe()

    def open(self, number: int, last: int, chunk):
        """Return the data that a chunk completes; valid until the next."""
        return self.opener.open_into(self._view, number, last, chunk)


def open_begin(unit, wire: bytes, flags: int) -> tuple:
    header, keys = _open(unit, wire, flags)
    unit.messages.begin_opening(Incoming(unit.board.entropy(_HANDLE_SIZE), keys, Opener(unit.board, keys)))
    return unit.messages.incoming.handle, header.lane, header.number, header.cipher


def open_keys(unit, wire: bytes, flags: int) -> tuple:
    header, keys = _open(unit, wire, flags)
    unit.messages.begin_opening(Incoming(unit.board.entropy(_HANDLE_SIZE), keys, None))
    sync = keys.sync or bytes(SYNC_SIZE)
    return unit.messages.incoming.handle, header.lane, header.number, keys.tag_key, sync, keys.aes_key


def open_chunk(unit, handle: bytes, number: int, last: int, chunk: bytes) -> tuple:
    message = unit.messages.incoming
    if message is None or message.handle != handle or message.opener is None:
        raise errors.UnitError(errors.CONFLICT)
    return (message.open(number, last, chunk),)


def message_stream(unit, message: bytes, offset: int, size: int) -> tuple:
    keys = _keys_in_mode_a(unit, message)
    if keys.aes_key:
        raise errors.UnitError(errors.CONFLICT)
    if not 1 <= size <= commands.MAX_CHUNK:
        raise errors.UnitError(errors.RANGE)
    return (keys.keystream(offset, size),)


def message_check(unit, message: bytes, size: int) -> tuple:
    return (_keys_in_mode_a(unit, message).check(size),)


def accept(unit, wire: bytes, allow_jump: int) -> tuple:
    errors.check_flag(allow_jump)
    header = _header(unit, wire)
    unit.messages.windows.check_room(header.lane)
    window = unit.messages.windows.of(header.lane)
    try:
        window.check_unseen(header.number)
    except errors.UnitError as error:
        if error.code == errors.DUPLICATE:
            return ()
        raise
    if not allow_jump:
        window.check_near(header.number)
    window.accept(header.number)
    unit.messages.windows.store(header.lane, window)
    return ()


def _open(unit, wire: bytes, flags: int) -> tuple:
    """Return header and keys of a capsule that may be opened."""
    if flags & ~_FLAGS:
        raise errors.UnitError(errors.RANGE)
    header = _header(unit, wire)
    window = unit.messages.windows.of(header.lane)
    if not flags & commands.AGAIN:
        unit.messages.windows.check_room(header.lane)
        window.check_unseen(header.number)
    if not flags & commands.ALLOW_JUMP:
        window.check_near(header.number)
    return header, unit.messages.keys_of_sender(header)


def _header(unit, wire: bytes):
    header = unit.messages.header_keys.unmask(wire)
    header.check(unit.member.suite, unit.member.lane)
    return header


def _keys_in_mode_a(unit, message: bytes):
    outgoing, incoming = unit.messages.sealing.current, unit.messages.incoming
    if outgoing and outgoing.token == message and outgoing.in_mode_a:
        return outgoing.keys
    if incoming and incoming.handle == message and incoming.opener is None:
        return incoming.keys
    raise errors.UnitError(errors.CONFLICT)
