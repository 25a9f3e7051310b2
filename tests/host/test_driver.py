# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The driver's verbs on an emulated unit, and on units that answer nonsense."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from host.scripted_transport import Script, ScriptedTransport, answer

import ndks
from ndks.link import Link
from ndks.unit import MAX_BITS, Unit
from ndks_protocol import commands, framing

HELLO = (1, 9, b"\x02\x00\x07", 1, 9, 0x83, bytes(range(8)), bytes(16), bytes(16), 1120, 0, 0, 1)


@pytest.fixture
def opened(alice: str) -> Iterator[Unit]:
    with ndks.open(alice) as opened:
        yield opened


def scripted(script: Script, monkeypatch: pytest.MonkeyPatch) -> Unit:
    """Return a unit of a later firmware, in a state that this version does not know."""

    def greet(request: framing.Frame) -> bytes:
        return answer(request, *HELLO) if request.kind == commands.HELLO.code else script(request)

    return Unit("scripted", Link(ScriptedTransport(greet, monkeypatch), 1.0))


def test_greeting(alice: str, opened: Unit) -> None:
    uid = Path(alice.removeprefix("emulator:"), "uid").read_text().strip()
    assert opened.hello == ndks.Hello(1, 2, "0.1.0", 2, "provisioned", ["not sealed"], uid.upper())
    assert opened.port == alice


def test_status_of_a_member(opened: Unit) -> None:
    status = opened.status()
    expected = ("provisioned", "office", 0, 1, "hybrid", "vernam", 3)
    named = (status.state, status.network, status.epoch, status.lane, status.suite, status.cipher, status.digits)
    assert named == expected
    assert 0 < status.log_used < status.log_size


def test_next_key_is_acknowledged(opened: Unit) -> None:
    first, second = opened.next_key(12), opened.next_key(12)
    assert (first.index, second.index, opened.next_index()) == (1, 2, (0, 3))
    assert opened.key(1, 12) == first


def test_key_is_not_acknowledged_by_itself(opened: Unit) -> None:
    opened.key(1, 8)
    list(opened.stream_key(1, 8))
    assert opened.next_index() == (0, 1)


@pytest.mark.parametrize("offset", [0, 1, 1000, 1024, 2047, 2048])
def test_stream_from_an_offset(opened: Unit, offset: int) -> None:
    bits = 8 * 2048 + 5
    assert b"".join(opened.stream_key(1, bits, offset=offset)) == opened.key(1, bits).data[offset:]


def test_blocks_have_at_most_1024_bytes(opened: Unit) -> None:
    assert [len(block) for block in opened.stream_key(1, 8 * 3000)] == [1024, 1024, 952]


@pytest.mark.parametrize("bits", [0, -1, MAX_BITS + 1])
def test_impossible_lengths(opened: Unit, bits: int) -> None:
    with pytest.raises(ndks.UsageError):
        next(opened.stream_key(1, bits))


def test_another_epoch_is_refused(opened: Unit) -> None:
    with pytest.raises(ndks.DeviceError) as refused:
        opened.key(1, 8, epoch=1)
    assert refused.value.code == "EPOCH"


def test_stream_that_is_abandoned_does_not_upset_a_real_unit(opened: Unit) -> None:
    expected = opened.key(2, 256)
    for _ in range(3):
        next(opened.stream_key(1, 1_000_000))
        assert opened.key(2, 256) == expected
        assert opened.next_index() == (0, 1)


@pytest.mark.parametrize("size", [0, 1023, 1025])
def test_chunk_of_another_size_is_refused(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = scripted(lambda request: answer(request, bytes(size)), monkeypatch)
    with pytest.raises(ndks.ProtocolError, match="another size"):
        next(unit.stream_key(1, 8192, epoch=0))


def test_unused_bits_of_a_careless_unit_are_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = scripted(lambda request: answer(request, b"\xff\xff"), monkeypatch)
    assert unit.key(1, 13, epoch=0).data == b"\xff\xf8"


def test_states_and_flags_of_a_later_firmware_are_shown_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = scripted(
        lambda request: answer(request, 9, 0x83, 0, 1, 8, 9, 3, "office", bytes(8), 0, 0, 0, 0, 7, 6), monkeypatch
    )
    assert unit.hello == ndks.Hello(
        1, 9, "2.0.7", 1, "unknown (9)", ["not sealed", "read only", "unknown (128)"], "0001020304050607"
    )
    status = unit.status()
    assert (status.state, status.suite, status.cipher) == ("unknown (9)", "unknown (8)", "unknown (9)")
    assert (status.f1, status.f2) == ("unknown (7)", "unknown (6)")


def of_protocol_1_1(request: framing.Frame) -> bytes:
    """A unit without operators: its HELLO has minor 1, its STATUS ends before them."""
    if request.kind == commands.HELLO.code:
        hello = commands.HELLO.answer.pack(
            1, 1, bytes((0, 1, 0)), 1, 0, 1, bytes(8), bytes(16), bytes(16), 1120, 12, 256, 1
        )
        return framing.encode(request.kind | framing.ANSWER, request.request_id, hello)
    status = commands.STATUS.answer.pack(1, 1, 0, 1, 1, 0, 3, "office", bytes(8), 112, 4064, 0, 0, 0, 0)
    return framing.encode(request.kind | framing.ANSWER, request.request_id, status[:-2])


def test_a_unit_of_protocol_1_1_has_equation_7(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Unit("scripted", Link(ScriptedTransport(of_protocol_1_1, monkeypatch), 1.0))
    status = unit.status()
    assert (status.network, status.log_used, status.f1, status.f2) == ("office", 112, "sinusoid", "cosine")


def test_a_unit_of_protocol_1_1_is_not_provisioned_but_upgraded(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Unit("scripted", Link(ScriptedTransport(of_protocol_1_1, monkeypatch), 1.0))
    with pytest.raises(ndks.VersionMismatch, match=r"protocol 1\.1") as refused:
        unit.check_blank()
    assert "ndks deploy" in refused.value.advice


def test_closing_lets_the_next_one_in(alice: str) -> None:
    for _ in range(3):
        with ndks.open(alice) as unit, pytest.raises(ndks.UnitBusy):
            ndks.open(alice)
        assert unit.hello.state == "provisioned"


def test_port_is_let_go_when_the_greeting_fails(alice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("ndks_protocol.MAJOR", 7)
        with pytest.raises(ndks.VersionMismatch):
            ndks.open(alice)
    ndks.open(alice).close()
