# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A tap on the cable between a laptop and its unit, which records, alters and replays frames."""

import time
from collections import deque

from ndks.exceptions import ProtocolError
from ndks.line.transport import Transport
from ndks_protocol import errors, framing, wire

from .system import TO_LAPTOP, TO_UNIT, RecordedSession, Refusal

SILENT = "SILENT"  # stands for an error code if the unit does not answer
_ERROR_SIZE = 2


class Tap:
    """A transport that wraps another."""

    def __init__(self, transport: Transport) -> None:
        self.unplugs = transport.unplugs
        self.requests: list[bytes] = []  # whole frames
        self.answers: list[framing.Frame] = []
        self.alter = ""  # the direction in which the next frame is altered
        self._transport = transport
        self._decoder = framing.Decoder()

    def write(self, data: bytes) -> None:
        """Send a whole frame or a delimiter, as links write them."""
        if len(data) > 1:
            if self.alter == TO_UNIT:
                self.alter, data = "", _altered(_decoded(data))
            self.requests.append(data)
        self._transport.write(data)

    def read(self) -> bytes:
        return b"".join(self._read_frames())

    def close(self) -> None:
        self._transport.close()

    def send(self, frame: bytes, seconds: float) -> bytes:
        """Replay a recorded frame and return the payload of its answer. Refusal."""
        self._transport.write(frame)
        wanted, deadline = _decoded(frame), time.monotonic() + seconds
        waiting: deque[bytes] = deque()
        while time.monotonic() < deadline:
            waiting.extend(self._read_frames())
            while waiting:
                answer = _decoded(waiting.popleft())
                if answer.request_id == wanted.request_id:
                    return _result(answer)
        raise Refusal(SILENT)

    def recorded(self, key: bytes) -> RecordedSession:
        """Return the last session on the line, in which the laptop got this key."""
        requests = [_decoded(each) for each in self.requests]
        answers = {each.request_id: each for each in self.answers}
        opening = max(at for at, each in enumerate(requests) if each.kind == wire.OPEN_SESSION)
        hello, opened, _, *secured = (answers[each.request_id] for each in requests[opening - 1 :])
        said = [bytes(each.payload) for each in (hello, requests[opening], opened)]
        return RecordedSession(said[0], said[1], said[2], tuple(secured), key)

    def _read_frames(self) -> list[bytes]:
        frames: list[bytes] = []
        for event in self._decoder.feed(self._transport.read()):
            if isinstance(event, framing.Frame):
                self.answers.append(event)
                alter, self.alter = self.alter == TO_LAPTOP, "" if self.alter == TO_LAPTOP else self.alter
                frames.append(_altered(event) if alter else _encoded(event, bytes(event.payload)))
        return frames


def payload_of(frame: bytes) -> bytes:
    """Return the payload of a frame."""
    return bytes(_decoded(frame).payload)


def _result(answer: framing.Frame) -> bytes:
    payload = bytes(answer.payload)
    if answer.kind == framing.ERROR and len(payload) == _ERROR_SIZE:
        raise Refusal(errors.name_of(int.from_bytes(payload, "big")))
    return payload


def _altered(frame: framing.Frame) -> bytes:
    """Return the frame with a bit in the middle of its payload flipped, and a correct checksum."""
    payload = bytearray(frame.payload)
    payload[len(payload) // 2] ^= 1
    return _encoded(frame, bytes(payload))


def _encoded(frame: framing.Frame, payload: bytes) -> bytes:
    return framing.encode(frame.kind, frame.request_id, payload)


def _decoded(wire: bytes) -> framing.Frame:
    for event in framing.Decoder().feed(wire):
        if isinstance(event, framing.Frame):
            return event
    raise ProtocolError("the bytes on the cable are not a frame")
