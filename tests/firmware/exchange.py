# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests to a `Unit` on a `MemoryBoard`, without a line that could fail."""

from typing import Any

from ndks_protocol import commands, errors, framing
from ndks_unit.unit import Unit

from .memory_board import MemoryBoard


def answers(board: MemoryBoard, unit: Unit, sent: bytes) -> list[framing.Frame]:
    """What the unit answers to these bytes; frames and nothing else."""
    board.inbound, board.outbound = sent, b""
    while board.inbound:
        unit.poll()
    events = framing.Decoder().feed(board.outbound)
    frames = [event for event in events if isinstance(event, framing.Frame)]
    assert len(frames) == len(events)
    return frames


def answer(board: MemoryBoard, unit: Unit, code: int, payload: bytes) -> framing.Frame:
    (frame,) = answers(board, unit, framing.encode(code, 0x01020304, payload))
    assert frame.request_id == 0x01020304
    assert frame.kind in (code | framing.ANSWER, framing.ERROR)
    return frame


def ask(board: MemoryBoard, unit: Unit, command: commands.Command, *values: Any) -> tuple[Any, ...]:
    """The fields of the answer; UnitError when it carries a code."""
    frame = answer(board, unit, command.code, command.request.pack(*values))
    if frame.kind == framing.ERROR:
        raise errors.UnitError(int.from_bytes(frame.payload))
    return command.answer.unpack(frame.payload)
