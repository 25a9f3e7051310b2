# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Any bytes in pieces of any size: the decoder agrees with a simple one, and its buffer does not grow."""

from collections.abc import Iterator

from frame_reference import Event, ReferenceDecoder
from hypothesis import given
from hypothesis import strategies as st
from support.reference import load_vectors

from fuzz.fuzzing import FUZZED, altered, bounded, byte
from ndks_protocol.framing import (
    MAX_PAYLOAD,
    MAX_PAYLOAD_BEFORE_SESSION,
    Decoder,
    Frame,
    FrameError,
    cobs_encode,
    encode,
)

LIMITS = (MAX_PAYLOAD, MAX_PAYLOAD_BEFORE_SESSION, 0, 1, 245, 246, 500)
VECTORS = [bytes.fromhex(vector["wire"]) for kind in ("good", "bad") for vector in load_vectors("frames")[kind]]

contents = (
    st.binary(max_size=600) | st.integers(0, 1200).map(bytes) | st.integers(0, 1200).map(lambda size: b"x" * size)
)
payloads = contents.map(lambda content: content[:MAX_PAYLOAD])  # often too long for the decoder, never for the encoder
frames = st.builds(encode, byte, st.integers(0, 2**32 - 1), payloads) | st.sampled_from(VECTORS)
stuffed = contents.map(lambda content: bytes(cobs_encode(content)) + b"\0")
received = frames | altered(frames) | stuffed | contents | st.builds(bytes.__add__, frames, frames)
steps = st.lists(st.tuples(received, st.integers(1, 256)) | st.sampled_from(LIMITS), max_size=12)


def fields(event: Frame | FrameError) -> Event:
    return (event.kind, event.request_id, bytes(event.payload)) if isinstance(event, Frame) else event.reason


def changed(decoder: Decoder, part: bytes) -> Iterator[Event]:
    """Return the events of a decoder; payloads are changed in place, as a session does."""
    for event in decoder.events(part):
        yield fields(event)
        if isinstance(event, Frame):
            event.payload[:] = bytes(len(event.payload))


@FUZZED
@given(st.data(), st.sampled_from(LIMITS), steps)
def test_frames(data: st.DataObject, limit: int, steps: list[tuple[bytes, int] | int]) -> None:
    with bounded(data.draw, 500_000):
        decoder, in_place, reference = Decoder(limit), Decoder(limit), ReferenceDecoder(limit)
        buffer = len(decoder._buffer)
        for step in steps:
            if isinstance(step, int):
                for each in (decoder, in_place, reference):
                    each.limit(min(limit, step))
                continue
            wire, cut = step
            for start in range(0, len(wire), cut):
                part = wire[start : start + cut]
                expected = list(reference.events(part))
                assert [fields(event) for event in decoder.feed(part)] == expected
                assert list(changed(in_place, part)) == expected
            assert len(decoder._buffer) == buffer
