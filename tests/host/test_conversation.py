# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The conversation with a unit, without a line: any bytes give events or typed errors, and each request ends once.

Strategy: the actions of a hostile line are drawn from correct answers, answers to other requests, damaged frames and
garbage, with and without a session. They are replayed at once, byte by byte and in pieces: the events must be equal.
"""

import contextlib
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ndks
import ndks_protocol
from ndks.crypto import CRYPTO
from ndks.line.conversation import Answer, Conversation, Dropped, Event, Failure
from ndks.line.link import unpack_answer
from ndks_protocol import commands, errors, framing
from ndks_protocol.session import HOST, OVERHEAD, SYNC_SIZE, UNIT, SecureChannel

TIMEOUT = 10.0
FIRST = 100
AUTH, TRANSCRIPT = bytes(range(32)), bytes(32)
SENT = (commands.STATUS, commands.NEXT_INDEX, commands.KEY_CHUNK)
CHUNK = commands.KEY_CHUNK.request.pack(0, 1, 0, 16)
PAYLOADS = (b"", b"", CHUNK)
Cut = Callable[[bytes], Iterable[bytes]]


def channel(who: str) -> SecureChannel:
    return SecureChannel(CRYPTO, AUTH, TRANSCRIPT, who)


def asking(*, secured: bool = False) -> Conversation:
    """Return a conversation with one pending request of each command in SENT, with the ids FIRST, FIRST + 1, ..."""
    conversation = Conversation(TIMEOUT, FIRST)
    if secured:
        conversation.secure(channel(HOST))
    for command, payload in zip(SENT, PAYLOADS, strict=True):
        conversation.send(command, payload, 0.0)
    return conversation


def sealed(end: SecureChannel, kind: int, request_id: int, body: bytes) -> bytes:
    view = memoryview(bytearray(len(body) + OVERHEAD))
    view[SYNC_SIZE : SYNC_SIZE + len(body)] = body
    return framing.encode(kind, request_id, bytes(view[: end.seal(kind, request_id, view, len(body))]))


def answered(number: int, body: bytes) -> tuple[int, int, bytes]:
    return SENT[number].code | framing.ANSWER, FIRST + number, body


def described(event: Event) -> tuple[object, ...]:
    """Return the comparable parts of an event."""
    if isinstance(event, Failure):
        return event.request_id, type(event.error), str(event.error), event.error.code
    return (event.request_id, event.payload) if isinstance(event, Answer) else (event.reason,)


def heard(data: bytes, cut: Cut, *, secured: bool) -> list[Event]:
    """Return the events for some bytes, including the timeout."""
    conversation = asking(secured=secured)
    events = [event for piece in cut(data) for event in conversation.receive(piece)]
    events += conversation.expire(TIMEOUT + 1)
    assert conversation.deadline is None
    return events


def whole(data: bytes) -> list[bytes]:
    return [data]


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def in_pieces(data: bytes) -> list[bytes]:
    return [data[start : start + 7] for start in range(0, len(data), 7)]


kinds = st.sampled_from([framing.ERROR, *(c.code for c in SENT), *(c.code | framing.ANSWER for c in SENT)])
ids = st.integers(FIRST - 1, FIRST + len(SENT))
bodies = st.binary(max_size=40) | st.sampled_from(sorted(errors.TABLE)).map(lambda code: code.to_bytes(2, "big"))
said = st.lists(st.tuples(kinds, ids, bodies), max_size=6)
garbage = st.binary(max_size=60)


@st.composite
def lines(draw: st.DrawFn, *, secured: bool) -> bytes:
    """Draw received bytes: frames, some of them sealed in order, garbage between them, and finally a flipped bit."""
    unit = channel(UNIT)
    parts: list[bytes] = []
    for frame in draw(said):
        is_sealed = secured and draw(st.booleans())
        parts += [sealed(unit, *frame) if is_sealed else framing.encode(*frame), draw(garbage | st.just(b""))]
    data = bytearray(b"".join(parts))
    if data and draw(st.booleans()):
        data[draw(st.integers(0, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


def check_events(events: list[Event]) -> None:
    ended = [event.request_id for event in events if not isinstance(event, Dropped)]
    assert sorted(ended) == [FIRST + number for number in range(len(SENT))], "each request ends once"
    for event in events:
        if isinstance(event, Failure):
            assert isinstance(event.error, ndks.NdksError)
            assert event.error.advice
        elif isinstance(event, Answer):
            with contextlib.suppress(ndks.ProtocolError):
                unpack_answer(SENT[event.request_id - FIRST], event.payload)


@pytest.mark.parametrize("secured", [False, True])
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_arrives_makes_events_however_it_is_cut(secured: bool, data: st.DataObject) -> None:
    line = data.draw(lines(secured=secured) | garbage)
    events = heard(line, whole, secured=secured)
    check_events(events)
    for cut in (byte_by_byte, in_pieces):
        assert list(map(described, heard(line, cut, secured=secured))) == list(map(described, events))


@given(line=lines(secured=False))
@settings(max_examples=100, deadline=None)
def test_in_a_session_nothing_in_the_clear_is_believed(line: bytes) -> None:
    for event in heard(line, whole, secured=True):
        assert not isinstance(event, Answer)
        if isinstance(event, Failure):
            assert event.error.code in ("SESSION_ENDED", "TAMPERED", "TIMEOUT", "NO_UNIT")


def kept_by_ndks() -> int:
    """Return how many bytes its code has allocated and not freed: the threads of pytest-xdist keep some too."""
    packages = [Path(package.__file__).parent for package in (ndks, ndks_protocol)]
    ours = [tracemalloc.Filter(True, f"{package}/*") for package in packages]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(ours).traces)


@pytest.mark.parametrize("piece", [b"\1" * 4096, b"\0\1" * 2048, framing.encode(0x81, 7, bytes(1000)) * 4])
def test_memory_is_bounded(piece: bytes) -> None:
    conversation = asking()
    conversation.receive(piece)
    tracemalloc.start()
    try:
        for _ in range(40):
            conversation.receive(piece)
        kept = kept_by_ndks()
    finally:
        tracemalloc.stop()
    assert kept < 4096, "bytes, of 160 KB that arrived"


def test_requests_are_sent_as_they_are_and_ids_wrap_around() -> None:
    conversation = Conversation(TIMEOUT, 0xFFFFFFFF)
    sent = [conversation.send(command, payload, 0.0) for command, payload in zip(SENT, PAYLOADS, strict=True)]
    assert [request_id for request_id, _ in sent] == [0xFFFFFFFF, 0, 1]
    for (request_id, wire), command, payload in zip(sent, SENT, PAYLOADS, strict=True):
        assert wire == framing.encode(command.code, request_id, payload)


def test_answers_in_any_order_are_told_by_id() -> None:
    frames = [framing.encode(*answered(number, bytes([number]))) for number in (2, 0, 1)]
    events = asking().receive(b"".join(frames))
    assert events == [Answer(FIRST + number, bytes([number])) for number in (2, 0, 1)]


def test_a_session_goes_on_through_answers_to_forgotten_requests() -> None:
    unit, conversation = channel(UNIT), asking(secured=True)
    conversation.forget(FIRST + 1)
    events = conversation.receive(b"".join(sealed(unit, *answered(number, b"x")) for number in range(3)))
    assert [described(event) for event in events] == [
        (FIRST, b"x"),
        (f"not awaited: kind {SENT[1].code | framing.ANSWER:02x} id {FIRST + 1:08x}",),
        (FIRST + 2, b"x"),
    ]
    assert conversation.is_secured


@pytest.mark.parametrize("skipped", [0, 1, 2])
def test_a_session_with_a_gap_is_over_and_all_requests_fail(skipped: int) -> None:
    unit, conversation = channel(UNIT), asking(secured=True)
    frames = [sealed(unit, *answered(number, b"x")) for number in range(3)]
    events = conversation.receive(b"".join(frames[:skipped] + frames[skipped + 1 :]))
    codes = [event.error.code for event in events if isinstance(event, Failure)]
    assert codes == (["SESSION_ENDED"] * (3 - skipped) if skipped < 2 else [])
    assert conversation.is_secured == (skipped == 2)


@pytest.mark.parametrize(
    ("kind", "code", "told"),
    [
        (framing.ERROR, errors.TAMPERED, "TAMPERED"),
        (framing.ERROR, errors.SESSION_ENDED, "SESSION_ENDED"),
        (framing.ERROR, errors.KEK, "SESSION_ENDED"),
        (SENT[0].code | framing.ANSWER, errors.TAMPERED, "SESSION_ENDED"),
    ],
)
def test_why_a_unit_has_no_session_any_more(kind: int, code: int, told: str) -> None:
    events = asking(secured=True).receive(framing.encode(kind, FIRST, code.to_bytes(2, "big")))
    assert [event.error.code for event in events if isinstance(event, Failure)] == [told] * 3


def test_the_deadline_is_that_of_the_first_request() -> None:
    conversation = Conversation(TIMEOUT, FIRST)
    assert conversation.deadline is None
    for now in (3.0, 5.0):
        conversation.send(commands.STATUS, b"", now)
    assert conversation.deadline == 3 + TIMEOUT
    assert conversation.expire(3 + TIMEOUT) == []
    (late,) = conversation.expire(3 + TIMEOUT + 0.1)
    assert isinstance(late, Failure)
    assert (late.request_id, late.error.code) == (FIRST, "TIMEOUT")
    assert conversation.deadline == 5 + TIMEOUT


@pytest.mark.parametrize(
    ("command", "seconds"),
    [(commands.NOTICE, 90), (commands.HINT, 90), (commands.OPEN_KEYS, 30), (commands.TICK, 30), (commands.RENEW, 30)],
)
def test_steps_of_a_ratchet_have_more_time(command: commands.Command, seconds: int) -> None:
    conversation = Conversation(TIMEOUT, FIRST)
    conversation.send(command, b"", 1.0)
    assert conversation.deadline == 1 + seconds


def test_a_caller_that_did_not_read_has_time_again() -> None:
    conversation = asking()
    conversation.resume(100.0)
    assert conversation.expire(100.0) == []
    assert conversation.deadline == 100 + TIMEOUT


def test_silence_ends_a_session() -> None:
    conversation = asking(secured=True)
    conversation.forget(FIRST)
    conversation.resume(5.0)
    conversation.send(commands.STATUS, b"", 8.0)
    codes = [event.error.code for event in conversation.expire(5 + TIMEOUT + 1) if isinstance(event, Failure)]
    assert codes == ["TIMEOUT", "TIMEOUT", "SESSION_ENDED"]
    assert not conversation.is_secured


def test_a_greeting_ends_the_session_and_what_was_in_flight() -> None:
    conversation = asking(secured=True)
    late = sealed(channel(UNIT), *answered(0, b"x"))
    greeting, _ = conversation.send(commands.HELLO, b"", 1.0)
    conversation.resume(2.0)
    assert conversation.deadline is not None
    assert conversation.deadline < 0, "there is something to tell at once"
    events = conversation.expire(1.0)
    assert [event.error.code for event in events if isinstance(event, Failure)] == ["SESSION_ENDED"] * 3
    events = conversation.receive(late + framing.encode(commands.HELLO.code | framing.ANSWER, greeting, b"hello"))
    assert [type(event) for event in events] == [Dropped, Answer]


def test_the_keys_of_a_session_that_is_over_are_wiped() -> None:
    conversation, keys = Conversation(TIMEOUT, FIRST), channel(HOST)
    conversation.secure(keys)
    conversation.end_session()
    assert not any((*keys._sending._key, *keys._receiving._key))


def test_a_sealed_answer_is_not_told_when_its_session_is_over() -> None:
    conversation = asking(secured=True)
    conversation.end_session()
    events = conversation.receive(sealed(channel(UNIT), *answered(0, b"x")))
    assert [type(event) for event in events] == [Dropped, Failure, Failure, Failure]


def test_a_payload_is_not_in_what_is_printed() -> None:
    (event,) = asking().receive(framing.encode(*answered(2, b"the key")))
    assert "the key" not in repr(event)
