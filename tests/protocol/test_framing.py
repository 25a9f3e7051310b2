# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of frames: golden vectors, and the invariant that any bytes give only frames and typed errors."""

from itertools import pairwise

import pytest
from frame_reference import cobs, frame
from hypothesis import given
from hypothesis import strategies as st
from support.reference import load_vectors

from ndks_protocol import framing
from ndks_protocol.framing import HEADER_SIZE, Decoder, Encoder, Frame, FrameError

VECTORS = load_vectors("frames")
REASONS = {framing.COBS, framing.SHORT, framing.CRC, framing.OVERSIZE}

frames = st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=framing.MAX_PAYLOAD))


def fields(events: list[Frame | FrameError]) -> list[tuple[int, int, bytes] | str]:
    """Return the events in a comparable form."""
    return [(e.kind, e.request_id, e.payload) if isinstance(e, Frame) else e.reason for e in events]


def feed_in_parts(decoder: Decoder, data: bytes, cuts: list[int]) -> list[Frame | FrameError]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [event for a, b in pairwise(edges) for event in decoder.feed(data[a:b])]


def test_vectors_whole_and_byte_by_byte() -> None:
    for vector in VECTORS["good"]:
        wire, payload = bytes.fromhex(vector["wire"]), bytes.fromhex(vector["payload"])
        expected = [(vector["kind"], vector["request_id"], payload)]
        assert framing.encode(*expected[0]) == wire
        assert fields(Decoder().feed(wire)) == expected
        assert fields(feed_in_parts(Decoder(), wire, list(range(len(wire))))) == expected


def test_damaged_vectors_have_their_reason() -> None:
    for vector in VECTORS["bad"]:
        assert fields(Decoder().feed(bytes.fromhex(vector["wire"]))) == [vector["why"]]


@given(st.lists(frames, max_size=5), st.lists(st.integers(0, 5000), max_size=8))
def test_glued_frames_cut_anywhere(sent: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    wire = b"".join(framing.encode(*frame) for frame in sent)
    assert wire.count(b"\0") == len(sent)
    assert fields(feed_in_parts(Decoder(), wire, cuts)) == sent


@given(frames)
def test_a_frame_cut_short_at_every_byte_harms_nothing_after_it(frame: tuple[int, int, bytes]) -> None:
    wire = framing.encode(*frame)
    for cut in range(1, len(wire) - 1, max(1, len(wire) // 60)):
        events = fields(Decoder().feed(wire[:cut] + b"\0" + wire))
        assert len(events) == 2
        assert events[0] in REASONS
        assert events[1] == frame


@given(st.binary(max_size=4000), frames)
def test_garbage_gives_typed_errors_and_the_next_frame_arrives(garbage: bytes, frame: tuple[int, int, bytes]) -> None:
    decoder = Decoder()
    before = fields(decoder.feed(garbage + b"\0"))
    assert all(event in REASONS for event in before)  # a CRC-32 that matches by chance is too unlikely
    assert fields(decoder.feed(framing.encode(*frame))) == [frame]


@given(frames, st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_never_taken_for_the_frame(frame: tuple[int, int, bytes], place: int, change: int) -> None:
    wire = bytearray(framing.encode(*frame))
    wire[place % len(wire)] ^= change
    assert frame not in fields(Decoder().feed(bytes(wire) + b"\0"))


def test_memory_is_bounded() -> None:
    decoder = Decoder()
    size = len(decoder._buffer)
    for _ in range(100):
        assert decoder.feed(b"\1" * 10_000) == []
    assert len(decoder._buffer) == size < 1200
    assert fields(decoder.feed(b"\0")) == [framing.OVERSIZE]


def test_reset_forgets_a_begun_frame() -> None:
    decoder = Decoder()
    decoder.feed(b"\5half")
    decoder.reset()
    wire = framing.encode(1, 2, b"whole")
    assert fields(decoder.feed(wire)) == [(1, 2, b"whole")]


def test_a_smaller_limit_is_kept() -> None:
    decoder = Decoder(max_payload=128)
    assert fields(decoder.feed(framing.encode(1, 1, b"\1" * 128))) == [(1, 1, b"\1" * 128)]
    for size in (129, 130, 200, 1120):
        assert fields(decoder.feed(framing.encode(1, 1, b"\1" * size))) == [framing.OVERSIZE]


def put(encoder: Encoder, kind: int, request_id: int, payload: bytes) -> memoryview:
    encoder.view[HEADER_SIZE : HEADER_SIZE + len(payload)] = payload
    return encoder.finish(kind, request_id, len(payload))


@given(st.lists(frames, max_size=5))
def test_one_encoder_for_frames_of_any_size(sent: list[tuple[int, int, bytes]]) -> None:
    encoder = Encoder()
    for each in sent:
        assert put(encoder, *each) == frame(*each)


def test_the_largest_frames_fit_an_encoder() -> None:
    for byte in (b"\0", b"\1", b"\xff"):  # one COBS group per byte, and groups of maximum length
        payload = byte * framing.MAX_PAYLOAD
        assert put(Encoder(), 1, 0x01010101, payload) == frame(1, 0x01010101, payload)


def test_what_an_encoder_has_no_room_for_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        Encoder(framing.MAX_PAYLOAD + 1)
    with pytest.raises(ValueError, match="too long"):
        framing.encode(1, 1, bytes(framing.MAX_PAYLOAD + 1))


@given(st.binary(max_size=600), st.binary(max_size=20), st.integers(0, 20))
def test_cobs_in_given_buffers(data: bytes, behind: bytes, room: int) -> None:
    expected = cobs(data)
    assert framing.cobs_encode(data) == expected
    assert len(expected) <= framing.cobs_size(len(data))
    out = bytearray(b"\xa5" * (framing.cobs_size(len(data)) + room))
    written = framing.cobs_encode_into(data + behind, len(data), out)
    assert out[:written] == expected
    assert out[framing.cobs_size(len(data)) :] == b"\xa5" * room

    buffer = bytearray(expected + behind)
    assert framing.cobs_decode_in_place(memoryview(buffer), len(expected)) == len(data)
    assert buffer[: len(data)] == data
    assert buffer[len(expected) :] == behind


@given(st.lists(frames, min_size=1, max_size=5), st.lists(st.integers(0, 5000), max_size=4))
def test_payloads_may_be_changed_where_they_lie(sent: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    decoder = Decoder()
    wire = b"".join(frame(*each) for each in sent)
    edges = [0, *sorted(cut % (len(wire) + 1) for cut in cuts), len(wire)]
    seen: list[tuple[int, int, bytes]] = []
    for start, end in pairwise(edges):
        for event in decoder.events(wire[start:end]):
            assert isinstance(event, Frame)
            assert isinstance(event.payload, memoryview)
            seen.append((event.kind, event.request_id, bytes(event.payload)))
            event.payload[:] = b"\0" * len(event.payload)
    assert seen == sent


def test_fed_payloads_are_kept() -> None:
    first, second = Decoder().feed(frame(1, 1, b"first") + frame(1, 2, b"other"))
    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert (first.payload, second.payload) == (b"first", b"other")


def test_of_a_larger_buffer_only_the_given_bytes_are_taken() -> None:
    decoder = Decoder()
    wire = frame(1, 2, b"whole")
    buffer = bytearray(b"stale" + wire + b"\0stale\0")
    assert decoder.take(buffer, 5, 5 + len(wire)) == 5 + len(wire)
    assert decoder.event
    assert fields([framing._kept(decoder.event)]) == [(1, 2, b"whole")]
    decoder.take(buffer, 0, 0)
    assert decoder.event is None
    assert fields(decoder.feed(wire)) == [(1, 2, b"whole")]


@given(st.lists(st.tuples(frames, st.integers(0, framing.MAX_PAYLOAD)), max_size=6))
def test_the_limit_may_change_between_glued_frames(sent: list[tuple[tuple[int, int, bytes], int]]) -> None:
    """As on a unit, whose limit depends on the previous request."""
    decoder = Decoder()
    limits = [framing.MAX_PAYLOAD, *(limit for _, limit in sent)]
    seen: list[tuple[int, int, bytes] | str] = []
    for event, limit in zip(decoder.events(b"".join(frame(*each) for each, _ in sent)), limits[1:], strict=True):
        seen += fields([framing._kept(event)])
        decoder.limit(limit)
    fitting = zip((each for each, _ in sent), limits, strict=False)
    assert seen == [each if len(each[2]) <= limit else framing.OVERSIZE for each, limit in fitting]


@given(frames, st.integers(0, 1200), st.integers(0, framing.MAX_PAYLOAD), st.booleans())
def test_the_limit_may_change_in_the_midst_of_a_frame(
    sent: tuple[int, int, bytes], cut: int, limit: int, lowered: bool
) -> None:
    """A frame within the lower limit is accepted; one between the limits may be dropped. The next frame is accepted."""
    decoder, wire = Decoder(), frame(*sent)
    lower = limit if lowered else framing.MAX_PAYLOAD
    decoder.limit(framing.MAX_PAYLOAD if lowered else limit)
    assert decoder.feed(wire[: min(cut, len(wire) - 1)]) == []
    decoder.limit(lower)
    (got,) = fields(decoder.feed(wire[min(cut, len(wire) - 1) :]))
    fits = len(sent[2]) <= limit
    assert got == sent if fits else got in (framing.OVERSIZE, sent)
    assert got == framing.OVERSIZE or len(sent[2]) <= lower
    decoder.limit(framing.MAX_PAYLOAD)
    assert fields(decoder.feed(wire)) == [sent]
