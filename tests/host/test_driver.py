# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the driver's methods on an emulated unit, and on units with nonsensical answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from host.scripted_transport import Script, answer
from host.scripted_unit import SERIAL_NUMBER, scripted_unit, status_values

import ndks
from ndks.driver.unit import Unit
from ndks_protocol import commands, framing
from ndks_protocol.generator import MAX_ELEMENTS


@pytest.fixture
def opened(alice: str) -> Iterator[Unit]:
    with ndks.open(alice) as opened:
        yield opened


def bound(script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Unit:
    """Return a unit of a later firmware, with an unknown flag."""
    return scripted_unit(script, monkeypatch, tmp_path, minor=9, firmware=b"\2\0\7", state_format=5, flags=0x82)


def test_greeting(alice: str, opened: Unit) -> None:
    uid = Path(alice.removeprefix("emulator:"), "uid").read_text().strip()
    hello = opened.hello
    assert (hello.major, hello.minor, hello.firmware, hello.state_format) == (3, 1, ndks.__version__, 4)
    assert (hello.state, hello.flags, hello.serial_number) == ("locked", [], uid.upper())
    assert [len(bytes.fromhex(value)) for value in (hello.salt, hello.binding_id)] == [16, 16]
    assert opened.port == alice


def test_status_of_a_member(opened: Unit) -> None:
    seen = opened.status(unlock=False)
    assert (seen.state, seen.network, seen.lane) == ("locked", "", 0)
    status = opened.status()
    expected = ("provisioned", "office", 0, 1, "hybrid", "vernam", 3)
    named = (status.state, status.network, status.epoch, status.lane, status.suite, status.cipher, status.digits)
    assert named == expected
    assert 0 < status.log_used < status.log_size
    assert (status.boots > 0, status.reset_reason, status.wrong_attempts) == (True, "power on", 0)


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


@pytest.mark.parametrize("bits", [0, -1, MAX_ELEMENTS + 1])
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
def test_chunk_of_another_size_is_refused(size: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unit = bound(lambda request: answer(request, bytes(size)), monkeypatch, tmp_path)
    with pytest.raises(ndks.ProtocolError, match="another size"):
        next(unit.stream_key(1, 8192, epoch=0))


def test_unused_bits_of_a_careless_unit_are_cleared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unit = bound(lambda request: answer(request, b"\xff\xff"), monkeypatch, tmp_path)
    assert unit.key(1, 13, epoch=0).data == b"\xff\xf8"


def test_what_a_later_firmware_says_is_shown_by_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    strange = status_values(state=9, flags=0x82, reset_reason=77, network="", lane=0, digits=0)
    unit = bound(lambda request: answer(request, *strange), monkeypatch, tmp_path)
    hello = unit.hello
    assert (hello.minor, hello.firmware, hello.state_format, hello.serial_number) == (9, "2.0.7", 5, SERIAL_NUMBER)
    assert hello.flags == ["read only", "unknown (128)"]
    status = unit.status(unlock=False)
    assert (status.state, status.reset_reason) == ("unknown (9)", "unknown (77)")
    strange = status_values(suite=8, cipher=9, f1=7, f2=6)
    status = unit.status(unlock=False)
    assert (status.suite, status.cipher) == ("unknown (8)", "unknown (9)")
    assert (status.f1, status.f2) == ("unknown (7)", "unknown (6)")


@pytest.mark.parametrize("state", [0, 1, 3, 9])
def test_a_unit_that_says_it_is_not_locked_gets_nothing_and_gives_nothing(
    state: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A man in the middle may claim this: requests and data outside a session would be readable for everyone."""
    asked: list[int] = []

    def obliging(request: framing.Frame) -> bytes:
        asked.append(request.kind)
        return answer(request, b"\xff" * 32) if request.kind == commands.KEY_CHUNK.code else answer(request, 0, 7)

    unit = scripted_unit(obliging, monkeypatch, tmp_path, state=state)
    needing = [
        unit.next_index,
        lambda: unit.key(1, 256, epoch=0),
        lambda: unit.acknowledge(0, 1),
        lambda: unit.seal(b"meet me at the old bridge", cipher="aes"),
        lambda: unit.seal(b"meet me at the old bridge", cipher="vernam", mode="a"),
        lambda: unit.accept(b"\1" * 37),
        lambda: unit.trust(2, "11" * 16),
        unit.bind,
        unit.unlock,
    ]
    for ask in needing:
        with pytest.raises(ndks.DeviceError) as refused:
            ask()
        assert refused.value.code == {0: "BLANK", 3: "TAMPERED"}.get(state, "LOCKED")
    assert asked == []


def test_closing_lets_the_next_one_in(alice: str) -> None:
    for _ in range(3):
        with ndks.open(alice) as unit, pytest.raises(ndks.UnitBusy):
            ndks.open(alice)
        assert unit.hello.state == "locked"


def test_port_is_let_go_when_the_greeting_fails(alice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("ndks_protocol.MAJOR", 7)
        with pytest.raises(ndks.VersionMismatch):
            ndks.open(alice)
    ndks.open(alice).close()
