# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Frames of a tunnel: layout and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndks_gateways.tunnel import frames
from ndks_gateways.tunnel.frames import FrameError, frame, parse


def test_layout():
    assert frame(frames.DATA, 0x01020304, b"ab") == bytes.fromhex("01 01020304 6162")
    assert frames.ack(258) == bytes.fromhex("05 00000000 0000000000000102")
    assert frames.credit(7, 1 << 18) == bytes.fromhex("03 00000007 00040000")
    assert [frame(kind) for kind in (frames.PING, frames.END)] == [b"\6" + bytes(4), b"\7" + bytes(4)]
    assert parse(frames.ack(258)).number == 258


def test_all_but_four_kinds_count():
    numbers = {frames.CREDIT: bytes(4), frames.DATA: b"x", frames.ACK: bytes(8)}
    counting = [kind for kind in range(9) if parse(frame(kind, int(kind < 5), numbers.get(kind, b""))).counts]
    assert counting == [frames.OPEN, frames.DATA, frames.FIN, frames.CREDIT, frames.RESET]


def test_data_is_a_view_of_the_content():
    content = frame(frames.DATA, 1, bytes(65536))
    assert parse(content).data.obj is content


@pytest.mark.parametrize(
    ("kind", "stream", "data"),
    [
        (9, 0, b""),
        (frames.OPEN, 1, b"x"),
        (frames.OPEN, 0, b""),
        (frames.DATA, 0, b"x"),
        (frames.DATA, 1, b""),
        (frames.DATA, 1, bytes(65537)),
        (frames.FIN, 1, b"x"),
        (frames.CREDIT, 1, bytes(3)),
        (frames.CREDIT, 1, bytes(8)),
        (frames.RESET, 1, b"x"),
        (frames.ACK, 0, bytes(4)),
        (frames.ACK, 1, bytes(8)),
        (frames.PING, 0, b"x"),
        (frames.PING, 1, b""),
        (frames.END, 0, b"x"),
        (frames.CARRY, 1, b"x"),
        (frames.CARRY, 0, bytes(65537)),
    ],
)
def test_what_is_no_frame_is_refused(kind: int, stream: int, data: bytes):
    with pytest.raises(FrameError):
        parse(frame(kind, stream, data))


@pytest.mark.parametrize("size", range(5))
def test_too_short(size: int):
    with pytest.raises(FrameError):
        parse(bytes(size))


@given(st.binary(max_size=20))
def test_any_bytes_are_a_frame_or_refused(content: bytes):
    try:
        kind, stream, data = parse(content)
    except FrameError:
        return
    assert frame(kind, stream, data) == content
