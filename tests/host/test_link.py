# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of requests and answers: requests in flight, ignored frames, and errors."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from host.scripted_transport import Script, ScriptedTransport, answer, refusal

import ndks
from ndks.line.link import WINDOW, Link
from ndks.refusals import REFUSALS
from ndks_protocol import commands, errors, framing, service

TIMEOUT = 1.0
CAPSULES = {errors.HEADER, errors.AUTH, errors.DIVERGED, errors.BINDING}
SESSIONS = {errors.LOCKED, errors.KEK, errors.DELAYED, errors.PUBLIC_KEY}
AUTHENTICATION = CAPSULES | SESSIONS | {errors.CAPSULE_VERSION, errors.PACKAGE, errors.REVOKED}
Connect = Callable[[Script], tuple[Link, ScriptedTransport]]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    def connect(script: Script) -> tuple[Link, ScriptedTransport]:
        transport = ScriptedTransport(script, monkeypatch)
        return Link(transport, TIMEOUT), transport

    return connect


def chunks(link: Link, count: int) -> Iterator[bytes]:
    requests = ((0, 1, start, 1) for start in range(count))
    return (values[0] for values in link.call_each(commands.KEY_CHUNK, requests))


def numbered(request: framing.Frame) -> bytes:
    """Answer a request for a chunk with its offset, and any other request with the next index 7."""
    if request.kind == commands.NEXT_INDEX.code:
        return answer(request, 0, 7)
    return answer(request, bytes([commands.KEY_CHUNK.request.unpack(request.payload)[2]]))


def test_window_is_kept_full(connect: Connect) -> None:
    link, transport = connect(numbered)
    assert b"".join(chunks(link, 20)) == bytes(range(20))
    assert transport.in_flight == [WINDOW] * (20 - WINDOW + 1) + list(range(WINDOW - 1, 0, -1))


def test_nothing_is_asked_for_before_it_is_wanted(connect: Connect) -> None:
    link, transport = connect(numbered)
    stream = chunks(link, 20)
    assert transport.requests == []
    next(stream)
    assert len(transport.requests) == WINDOW


@pytest.mark.parametrize("count", [0, 1, WINDOW - 1, WINDOW, WINDOW + 1])
def test_streams_about_as_long_as_the_window(connect: Connect, count: int) -> None:
    link, transport = connect(numbered)
    assert b"".join(chunks(link, count)) == bytes(range(count))
    assert len(transport.requests) == count


def test_request_ids_differ_and_wrap_around(connect: Connect) -> None:
    link, transport = connect(numbered)
    link._conversation._next_id = 0xFFFFFFFE
    assert b"".join(chunks(link, 4)) == bytes(range(4))
    assert [request.request_id for request in transport.requests] == [0xFFFFFFFE, 0xFFFFFFFF, 0, 1]


def test_answers_that_nobody_waits_for_are_ignored(connect: Connect) -> None:
    def with_strangers(request: framing.Frame) -> bytes:
        earlier = framing.Frame(request.kind, request.request_id - 1, request.payload)
        other_command = framing.encode(commands.STATUS.code | framing.ANSWER, request.request_id, b"?")
        return answer(earlier, 0, 99) + refusal(earlier, errors.BLANK) + b"noise\0" + other_command + numbered(request)

    link, _ = connect(with_strangers)
    assert link.call(commands.NEXT_INDEX) == (0, 7)


def test_stream_that_is_abandoned_does_not_upset_the_next_call(connect: Connect) -> None:
    link, _ = connect(numbered)
    for taken in range(1, 2 * WINDOW):
        assert list(itertools.islice(chunks(link, 20), taken)) == [bytes([i]) for i in range(taken)]
        assert link.call(commands.NEXT_INDEX) == (0, 7)


def test_error_in_the_middle_of_a_stream(connect: Connect) -> None:
    def third_fails(request: framing.Frame) -> bytes:
        good = numbered(request)
        is_third = request.kind == commands.KEY_CHUNK.code and request.payload[19] == 2
        return refusal(request, errors.EPOCH) if is_third else good

    link, _ = connect(third_fails)
    stream = chunks(link, 20)
    assert [next(stream), next(stream)] == [b"\0", b"\1"]
    with pytest.raises(ndks.DeviceError) as refused:
        next(stream)
    assert refused.value.code == "EPOCH"
    assert link.call(commands.NEXT_INDEX) == (0, 7)


@pytest.mark.parametrize("code", errors.TABLE)
def test_known_error_codes(connect: Connect, code: int) -> None:
    link, _ = connect(lambda request: refusal(request, code))
    with pytest.raises(ndks.DeviceError) as refused:
        link.call(commands.NEXT_INDEX)
    assert (refused.value.number, refused.value.code) == (code, errors.TABLE[code])
    assert refused.value.exit_status == (5 if code in AUTHENTICATION else 4)
    assert isinstance(refused.value, ndks.AuthenticationError) == (code in AUTHENTICATION)
    assert (str(refused.value), refused.value.advice) == REFUSALS[code][:2]


def test_every_error_code_has_its_row() -> None:
    assert REFUSALS.keys() == errors.TABLE.keys() | service.ERRORS.keys()
    assert {code for code, row in REFUSALS.items() if row.is_authentication} == AUTHENTICATION
    assert all(row.meaning and row.advice for row in REFUSALS.values())


@pytest.mark.parametrize(
    ("code", "kind"),
    [(service.NO_UNIT, ndks.NoUnit), (service.BUSY, ndks.UnitBusy), (service.DENIED, ndks.DeviceError)],
)
def test_error_codes_of_a_service(connect: Connect, code: int, kind: type[ndks.NdksError]) -> None:
    link, _ = connect(lambda request: refusal(request, code))
    with pytest.raises(kind) as refused:
        link.call(commands.NEXT_INDEX)
    assert type(refused.value) is kind
    assert (refused.value.code, str(refused.value)) == (service.ERRORS[code], REFUSALS[code].meaning)


def test_error_code_of_a_newer_unit_survives(connect: Connect) -> None:
    link, _ = connect(lambda request: refusal(request, 0x7F0A))
    with pytest.raises(ndks.DeviceError) as refused:
        link.call(commands.NEXT_INDEX)
    assert (refused.value.number, refused.value.code) == (0x7F0A, "UNKNOWN_7F0A")
    assert refused.value.advice


@pytest.mark.parametrize("payload", [b"", bytes(11)])
def test_answer_that_is_too_short(connect: Connect, payload: bytes) -> None:
    link, _ = connect(lambda request: framing.encode(request.kind | framing.ANSWER, request.request_id, payload))
    with pytest.raises(ndks.ProtocolError, match="NEXT_INDEX is malformed"):
        link.call(commands.NEXT_INDEX)


def test_answer_with_a_text_that_is_none(connect: Connect) -> None:
    status = commands.STATUS.answer.pack(
        1, 0, 0, 1, 1, 0, 3, "office", bytes(8), *bytes(11), bytes(8), bytes(14)
    ).replace(b"office", b"\xff" * 6)
    link, _ = connect(lambda request: framing.encode(request.kind | framing.ANSWER, request.request_id, status))
    with pytest.raises(ndks.ProtocolError, match="STATUS is malformed"):
        link.call(commands.STATUS)


@pytest.mark.parametrize("payload", [b"", b"\x01", bytes(3), bytes(1000)])
def test_error_that_carries_no_code(connect: Connect, payload: bytes) -> None:
    link, _ = connect(lambda request: framing.encode(framing.ERROR, request.request_id, payload))
    with pytest.raises(ndks.ProtocolError):
        link.call(commands.NEXT_INDEX)


def test_fields_of_a_newer_minor_version_are_passed_over(connect: Connect) -> None:
    newer = commands.NEXT_INDEX.answer.pack(0, 7) + b"news"
    link, _ = connect(lambda request: framing.encode(request.kind | framing.ANSWER, request.request_id, newer))
    assert link.call(commands.NEXT_INDEX) == (0, 7)


def test_each_answer_has_a_deadline_of_its_own(connect: Connect) -> None:
    link, transport = connect(numbered)
    assert b"".join(chunks(link, 100)) == bytes(range(100))
    assert transport.now > 5 * TIMEOUT


def test_a_stream_whose_reader_takes_his_time_costs_nobody_his_deadline(connect: Connect) -> None:
    link, transport = connect(numbered)
    stream = chunks(link, 4)
    read = [next(stream)]
    transport.now += 10 * TIMEOUT
    assert link.call(commands.NEXT_INDEX) == (0, 7)
    transport.now += 10 * TIMEOUT
    assert b"".join([*read, *stream]) == bytes(range(4))


def test_silence_ends_at_the_deadline(connect: Connect) -> None:
    link, transport = connect(lambda request: b"")
    with pytest.raises(ndks.UnitTimeout, match="not a unit, or it is not running"):
        link.call(commands.NEXT_INDEX)
    assert TIMEOUT < transport.now < TIMEOUT + 0.5


def test_talk_of_something_else_does_not_put_the_deadline_off(connect: Connect) -> None:
    link, transport = connect(lambda request: b"")
    transport._answers.extend([answer(framing.Frame(commands.NEXT_INDEX.code, 1, b""), 0, 99)] * 100)
    with pytest.raises(ndks.UnitTimeout, match="no further answer"):
        link.call(commands.NEXT_INDEX)
    assert transport.now < TIMEOUT + 0.5


def test_bytes_that_are_no_frames_are_no_unit(connect: Connect) -> None:
    link, _ = connect(lambda request: b"login: \0")
    with pytest.raises(ndks.NoUnit):
        link.call(commands.NEXT_INDEX)


def test_echo_is_no_unit(connect: Connect) -> None:
    link, _ = connect(lambda request: framing.encode(request.kind, request.request_id, request.payload))
    with pytest.raises(ndks.NoUnit):
        link.call(commands.NEXT_INDEX)


def test_late_answer_is_not_taken_for_the_next_one(connect: Connect) -> None:
    link, transport = connect(lambda request: b"" if len(transport.requests) == 1 else numbered(request))
    with pytest.raises(ndks.UnitTimeout):
        link.call(commands.NEXT_INDEX)
    transport._answers.append(answer(transport.requests[0], 0, 99))
    assert link.call(commands.NEXT_INDEX) == (0, 7)
