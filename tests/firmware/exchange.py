# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests to a `Unit` on a `MemoryBoard`, without a line that could fail, in sessions where they need one."""

from typing import Any
from weakref import WeakKeyDictionary

from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors, framing
from ndks_protocol.binding import BindingKeys
from ndks_protocol.session import HOST, OVERHEAD, SYNC_SIZE, SecureChannel, proof, transcript
from ndks_unit.dispatcher import Dispatcher

from .member import BINDING
from .memory_board import MemoryBoard

_REQUEST_ID = 0x01020304
_HOST_RANDOM = b"random of a host"

channels: WeakKeyDictionary[Dispatcher, SecureChannel] = WeakKeyDictionary()


def answers(board: MemoryBoard, unit: Dispatcher, sent: bytes) -> list[framing.Frame]:
    """What the unit answers to these bytes; frames and nothing else."""
    board.inbound, board.outbound = sent, b""
    while board.inbound:
        unit.poll()
    events = framing.Decoder().feed(board.outbound)
    frames = [event for event in events if isinstance(event, framing.Frame)]
    assert len(frames) == len(events)
    return frames


def answer(board: MemoryBoard, unit: Dispatcher, code: int, payload: bytes) -> framing.Frame:
    """The answer to a frame in the clear, as it is on the wire."""
    (frame,) = answers(board, unit, framing.encode(code, _REQUEST_ID, payload))
    assert frame.request_id == _REQUEST_ID
    assert frame.kind in (code | framing.ANSWER, framing.ERROR)
    return frame


def ask(board: MemoryBoard, unit: Dispatcher, command: commands.Command, *values: Any) -> tuple[Any, ...]:
    """The fields of the answer; UnitError when it carries a code. A session is opened when there must be one."""
    if command.needs & commands.SESSION and unit not in channels and unit.state.binding:
        open_session(board, unit)
    payload = command.request.pack(*values)
    channel = channels.get(unit) if command is not commands.HELLO else None
    kind, payload = _exchange(board, unit, channel, command.code, payload)
    if command in (commands.HELLO, commands.CLOSE, commands.ZEROIZE):
        channels.pop(unit, None)
    if kind == framing.ERROR:
        raise errors.UnitError(int.from_bytes(payload))
    return command.answer.unpack(payload)


def refusal(board: MemoryBoard, unit: Dispatcher, command: commands.Command, payload: bytes) -> int:
    """The error code that is answered to a payload that no layout would make, in a session."""
    if unit not in channels:
        open_session(board, unit)
    kind, answered = _exchange(board, unit, channels[unit], command.code, payload)
    assert kind == framing.ERROR
    return int.from_bytes(answered)


def open_session(
    board: MemoryBoard, unit: Dispatcher, binding: bytes = BINDING, minimum: int = 0, allow_jump: int = 0
) -> None:
    """Open a session under a binding. UnitError."""
    channels.pop(unit, None)
    keys = BindingKeys(CRYPTO, binding)
    hello = bytes(answer(board, unit, commands.HELLO.code, b"").payload)
    unit_random, unit_proof = ask(board, unit, commands.OPEN_SESSION, _HOST_RANDOM)
    transcript_hash = transcript(CRYPTO, hello, _HOST_RANDOM, unit_random)
    if binding == BINDING:
        assert unit_proof == proof(CRYPTO, keys.auth, "unit", transcript_hash)
    ask(board, unit, commands.PROVE, proof(CRYPTO, keys.auth, HOST, transcript_hash))
    channels[unit] = SecureChannel(CRYPTO, keys.auth, transcript_hash, HOST)
    ask(board, unit, commands.UNLOCK, keys.kek, minimum, allow_jump)


def _exchange(
    board: MemoryBoard, unit: Dispatcher, channel: "SecureChannel | None", code: int, payload: bytes
) -> tuple[int, bytes]:
    if channel is None:
        frame = answer(board, unit, code, payload)
        return frame.kind, bytes(frame.payload)
    view = memoryview(bytearray(len(payload) + OVERHEAD))
    view[SYNC_SIZE : SYNC_SIZE + len(payload)] = payload
    size = channel.seal(code, _REQUEST_ID, view, len(payload))
    frame = answer(board, unit, code, bytes(view[:size]))
    body = channel.open(frame.kind, frame.request_id, memoryview(bytearray(frame.payload)))
    if body is None:  # an error in the clear has ended the session
        channels.pop(unit, None)
        return frame.kind, bytes(frame.payload)
    return frame.kind, bytes(body)
