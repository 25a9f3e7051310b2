# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Any bytes, cut anyhow: the decoder gives what a simple one gives, in a buffer that does not grow.

script: largest payload, then steps: bytes as they are | a frame with the right CRC | COBS of anything | another limit
"""

import zlib
from collections.abc import Iterator

from support.reference import load_vectors

from fuzz.script import Script, block
from ndks_protocol import framing
from ndks_protocol.framing import COBS, CRC, OVERSIZE, SHORT, Decoder, Frame, cobs_encode, encode

MOST_MEMORY = 100_000
LARGEST_INPUT = 4096

_LIMITS = (framing.MAX_PAYLOAD, framing.MAX_PAYLOAD_BEFORE_SESSION, 0, 1, 245, 246, 500)
_AS_IT_IS, _FRAME, _STUFFED, _LIMIT = range(4)
_SMALLEST = 9  # bytes of kind, id, CRC

Event = tuple[int, int, bytes] | str  # kind, id, payload; or why it was dropped


class ReferenceDecoder:
    """PROTOCOL.md section 5 in as few words as can be; what was received since the last delimiter is kept whole."""

    def __init__(self, max_payload: int = framing.MAX_PAYLOAD) -> None:
        self.limit(max_payload)
        self.reset()

    def limit(self, max_payload: int) -> None:
        self._largest = max_payload + _SMALLEST

    def reset(self) -> None:
        self._received = b""
        self._is_too_long = False

    def events(self, data: bytes) -> Iterator[Event]:
        *ended, begun = data.split(b"\0")
        for part in ended:
            self._collect(part)
            received, is_too_long = self._received, self._is_too_long
            self.reset()
            if is_too_long:
                yield OVERSIZE
            elif received:
                yield self._event(received)
        self._collect(begun)

    def _collect(self, part: bytes) -> None:
        self._received += part
        # A limit may be raised again, but what was too long once stays so.
        longest = self._largest + self._largest // 254 + 1
        self._is_too_long = self._is_too_long or len(self._received) > longest

    def _event(self, stuffed: bytes) -> Event:
        body = _unstuffed(stuffed)
        if body is None:
            return COBS
        if len(body) < _SMALLEST:
            return SHORT
        if len(body) > self._largest:
            return OVERSIZE
        if zlib.crc32(body[:-4]) != int.from_bytes(body[-4:]):
            return CRC
        return body[0], int.from_bytes(body[1:5]), body[5:-4]


def _unstuffed(stuffed: bytes) -> bytes | None:
    groups = []
    while stuffed:
        run, rest = stuffed[1 : stuffed[0]], stuffed[stuffed[0] :]
        if stuffed[0] == 0 or len(run) != stuffed[0] - 1:
            return None
        groups.append(run if len(run) == 254 or not rest else run + b"\0")
        stuffed = rest
    return b"".join(groups)


def run(data: bytes) -> None:
    script = Script(data)
    limit = script.one_of(_LIMITS)
    decoder, in_place, reference = Decoder(limit), Decoder(limit), ReferenceDecoder(limit)
    buffer = len(decoder._buffer)
    while not script.ended:
        what, cut = script.byte() % 4, 1 + script.byte()
        if what == _LIMIT:
            lower = min(limit, script.one_of(_LIMITS))
            for each in (decoder, in_place, reference):
                each.limit(lower)
            continue
        received = _received(what, script)
        for start in range(0, len(received), cut):
            part = received[start : start + cut]
            expected = list(reference.events(part))
            assert [_fields(event) for event in decoder.feed(part)] == expected
            assert list(_changed(in_place, part)) == expected
        assert len(decoder._buffer) == buffer


def _received(what: int, script: Script) -> bytes:
    content = script.block()
    if what == _FRAME:
        # Often too long for the decoder, never for the encoder.
        return encode(script.byte(), script.number(4), content[: framing.MAX_PAYLOAD])
    return cobs_encode(content) + b"\0" if what == _STUFFED else content


def _fields(event: "Frame | framing.FrameError") -> Event:
    if isinstance(event, Frame):
        return event.kind, event.request_id, bytes(event.payload)
    return event.reason


def _changed(decoder: Decoder, part: bytes) -> Iterator[Event]:
    """The events of a decoder whose payloads are changed in place, as a session does."""
    for event in decoder.events(part):
        yield _fields(event)
        if isinstance(event, Frame):
            event.payload[:] = bytes(len(event.payload))


def seeds() -> Iterator[bytes]:
    vectors = load_vectors("frames")
    for number, vector in enumerate(vectors["good"] + vectors["bad"]):
        wire = bytes.fromhex(vector["wire"])
        yield bytes([0, _AS_IT_IS, number]) + block(wire)
        yield bytes([1, _AS_IT_IS, 255]) + block(wire + wire) + bytes([_LIMIT, 0, 2, _AS_IT_IS, 3]) + block(wire)
    for vector in vectors["good"]:
        identity = bytes([vector["kind"]]) + vector["request_id"].to_bytes(4)
        yield bytes([0, _FRAME, 50]) + block(bytes.fromhex(vector["payload"])) + identity
