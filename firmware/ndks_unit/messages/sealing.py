# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers for sent messages: SEAL_BEGIN, SEAL_CHUNK, SEAL_KEYS (PROTOCOL.md section 4).

No keystream encrypts two different texts: a token begins only one message, and a repeated piece must be identical.
"""

from ndks_protocol import errors, wire
from ndks_protocol.capsule import Header, MessageKeys, Sealer

from ..state import State
from .in_progress import Outgoing

_MODE_A = "a"
_MODE_B = "b"


def seal_begin(state: State, token: bytes, cipher: int, kind: int, random: bytes) -> tuple[bytes, int]:
    header = _begin(state, token, _MODE_B, cipher, kind, random)
    return state.member.header_keys.mask(header), state.member.epoch


def seal_keys(
    state: State, token: bytes, cipher: int, kind: int, random: bytes
) -> "tuple[bytes, bytes | bytearray, bytes, int, bytearray]":
    header = _begin(state, token, _MODE_A, cipher, kind, random)
    current = state.sealing.current
    keys = current.keys if current and current.token == token else _keys_of(state, header)
    return state.member.header_keys.mask(header), keys.tag_key, keys.sync, state.member.epoch, keys.aes_key


def seal_chunk(state: State, token: bytes, number: int, last: int, data: "bytes | memoryview") -> tuple[memoryview]:
    message = state.sealing.current
    if message is None or message.token != token:
        raise errors.UnitError(errors.CONFLICT)
    return (message.seal(number, last, data),)


def _begin(state: State, token: bytes, mode: str, cipher: int, kind: int, random: bytes) -> Header:
    """Return the header of the message with this token. A repeated request returns the same header."""
    request = (mode, cipher, kind, random)
    header = state.sealing.header_of(token, request)
    if header is None:
        header = _new_header(state, cipher, kind, random)
        keys = _keys_of(state, header)
        state.sealing.begin(token, request, header)
        sealer = Sealer(state.board, keys) if mode == _MODE_B else None
        state.sealing.current = Outgoing(token, keys, sealer, state.piece, state.member.position)
    return header


def _new_header(state: State, cipher: int, kind: int, random: bytes) -> Header:
    member = state.member  # NO_EPOCH comes first
    if cipher >= len(wire.CIPHERS) or kind >= wire.KINDS:
        raise errors.UnitError(errors.RANGE)
    if kind == wire.OF_CONTROL:
        raise errors.UnitError(errors.KIND)
    if state.roles:
        state.roles.seals(kind)
    digest = state.board.sha256()
    digest.update(random + state.board.entropy(len(random)))
    number = state.message_counter.take()
    epoch = member.position & 0xFFFF
    return Header.new(member.suite, cipher, member.lane, number, digest.digest()[:8], kind, epoch)


def _keys_of(state: State, header: Header) -> MessageKeys:
    return state.member.message_keys(header, state.bound.id)
