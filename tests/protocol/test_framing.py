# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Frames: the vectors, and the invariant that any bytes give frames and typed errors, never anything else."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from support.reference import load_vectors

from ndks_protocol import framing
from ndks_protocol.framing import Decoder, Frame, FrameError

VECTORS = load_vectors("frames")
REASONS = {framing.COBS, framing.SHORT, framing.CRC, framing.OVERSIZE}

frames = st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=framing.MAX_PAYLOAD))


def fields(events: list[Frame | FrameError]) -> list[tuple[int, int, bytes] | str]:
    """Make events comparable."""
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
    assert all(event in REASONS for event in before)  # a CRC-32 that fits by chance would be news
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
