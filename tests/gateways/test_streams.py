# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Streams of a tunnel: numbers, credit, half-close, and peers that break the rules."""

import random
from collections import deque

import pytest

from ndks_gateways.tunnel import frames
from ndks_gateways.tunnel.frames import CREDIT, DATA, FIN, OPEN, RESET, Frame, frame, parse
from ndks_gateways.tunnel.streams import WINDOW, NumbersSpent, Stream, StreamError, Streams


def of(kind: int, stream: int, data: bytes = b"") -> Frame:
    return parse(frame(kind, stream, data))


@pytest.fixture
def ends() -> tuple[Streams, Streams]:
    a, b = Streams(opens=True), Streams(opens=False)
    a.meet(WINDOW)
    b.meet(WINDOW)
    return a, b


def opened(a: Streams, b: Streams) -> tuple[Stream, Stream]:
    mine = a.open()
    theirs = b.receive(of(OPEN, mine.number))
    assert theirs is not None
    return mine, theirs


def test_numbers_go_up_from_1(ends: tuple[Streams, Streams]):
    a, b = ends
    assert [opened(a, b)[1].number for _ in range(3)] == [1, 2, 3]
    a.drop(a.table[3])
    assert a.open().number == 4


def test_numbers_end(ends: tuple[Streams, Streams], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ndks_gateways.tunnel.streams._MOST_STREAMS", 2)
    a, _ = ends
    a.open()
    a.open()
    with pytest.raises(NumbersSpent):
        a.open()
    a.reset()
    assert a.open().number == 1


def test_credit_is_given_back_when_the_connection_took_a_quarter_of_the_window(ends: tuple[Streams, Streams]):
    mine, theirs = opened(*ends)
    mine.sent(WINDOW)
    assert mine.credit == 0
    with pytest.raises(ValueError, match="credit of 0"):
        mine.sent(1)
    for _ in range(WINDOW >> 16):
        ends[1].receive(of(DATA, 1, bytes(1 << 16)))
    assert theirs.taken(WINDOW // 4 - 1) == 0
    given = theirs.taken(1)
    assert given == WINDOW // 4
    ends[0].receive(parse(frames.credit(1, given)))
    assert mine.credit == given


def test_no_credit_for_what_will_not_come(ends: tuple[Streams, Streams]):
    _, theirs = opened(*ends)
    ends[1].receive(of(DATA, 1, bytes(1 << 16)))
    ends[1].receive(of(FIN, 1))
    assert theirs.taken(WINDOW) == 0


def test_either_end_finishes_first(ends: tuple[Streams, Streams]):
    for first, second in (ends, ends[::-1]):
        number = opened(*ends)[0].number
        first.finish(first.table[number])
        second.receive(of(FIN, number))
        second.receive(of(CREDIT, number, bytes(4)))
        first.receive(of(DATA, number, b"x"))
        second.finish(second.table[number])
        first.receive(of(FIN, number))
        assert not first.table
        assert not second.table
        assert first.receive(of(CREDIT, number, bytes(4))) is None


def test_what_comes_after_reset_is_ignored(ends: tuple[Streams, Streams]):
    a, b = ends
    mine, theirs = opened(a, b)
    a.drop(mine)
    for late in (of(DATA, 1, b"x"), of(CREDIT, 1, bytes(4)), of(FIN, 1), of(RESET, 1)):
        assert a.receive(late) is None
    assert b.receive(of(RESET, 1)) is theirs
    assert not b.table


def test_a_peer_that_breaks_the_rules(ends: tuple[Streams, Streams]):
    a, b = ends
    opened(a, b)
    for end, wrong in (
        (a, of(OPEN, 1)),  # B opens none
        (a, of(OPEN, 2)),
        (b, of(OPEN, 1)),  # again
        (b, of(DATA, 2, b"x")),  # never opened
        (a, parse(frames.credit(1, 1))),  # more than the window
    ):
        with pytest.raises(StreamError):
            end.receive(wrong)
    for _ in range(WINDOW >> 16):
        b.receive(of(DATA, 1, bytes(1 << 16)))
    with pytest.raises(StreamError):
        b.receive(of(DATA, 1, b"x"))
    a.receive(of(FIN, 1))
    for wrong in (of(DATA, 1, b"x"), of(FIN, 1)):
        with pytest.raises(StreamError):
            a.receive(wrong)


def test_streams_that_are_opened_before_there_is_a_peer_wait_for_its_credit():
    a = Streams(opens=True)
    stream = a.open()
    assert stream.credit == 0
    a.meet(1000)
    assert stream.credit == 1000
    stream.sent(400)
    a.meet(1000)  # another link
    assert stream.credit == 600
    assert a.open().credit == 1000
    a.reset()
    assert not a.table
    assert a.open().credit == 0


def test_a_stalled_connection_stalls_no_other():
    """Random connections over one queue of frames: what is not taken never exceeds a window, the others finish."""
    chance = random.Random(4)
    a, b = Streams(opens=True, window=2000), Streams(opens=False, window=1000)
    a.meet(1000)
    b.meet(2000)
    wire, back = deque[Frame](), deque[Frame]()
    to_send = {opened(a, b)[0].number: 20_000 for _ in range(5)}
    waiting = dict.fromkeys(to_send, 0)
    while any(size for number, size in to_send.items() if number != 3):
        number = chance.choice(list(to_send))
        size = min(a.table[number].credit, to_send[number], 300)
        if size:
            a.table[number].sent(size)
            to_send[number] -= size
            wire.append(of(DATA, number, bytes(size)))
        if wire:
            got = wire.popleft()
            b.receive(got)
            waiting[got.stream] += len(got.data)
            assert waiting[got.stream] <= 1000
        number = chance.choice((1, 2, 4, 5))  # 3 takes nothing
        given = b.table[number].taken(waiting[number])
        waiting[number] = 0
        if given:
            back.append(parse(frames.credit(number, given)))
        if back:
            a.receive(back.popleft())
    assert to_send[3] >= 19_000
