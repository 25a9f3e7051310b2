# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Arbitrary bytes on the line of a unit."""

import random
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

import ndks
from ndks.line.transport import EMULATOR, SERVICE, Transport, open_transport
from ndks_protocol import commands, errors, framing, service
from ndks_protocol.layout import Layout
from ndks_protocol.session import OVERHEAD

_OF_NO_SERVICE = {
    **dict.fromkeys((commands.OPEN_SESSION, commands.PROVE, commands.UNLOCK), errors.UNKNOWN_COMMAND),
    **dict.fromkeys((commands.PROVISION, commands.PROVISION_SEALED, commands.JOINING_KEY), service.DENIED),
    commands.ENROL: service.DENIED,
    **dict.fromkeys((commands.BIND, commands.ZEROIZE), service.DENIED),
}
_WRONG = {commands.CONTROL: [], commands.NOTICE: [b"", b"\1"]}  # payloads that do not fit, where most do
UNKNOWN = 0x7E
TIMEOUT = 60.0


class Line:
    """A raw line to a unit."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._decoder = framing.Decoder()

    def ask(self, data: bytes, count: int = 1) -> list[framing.Frame]:
        """Send raw bytes and return the next `count` frames."""
        self._transport.write(data)
        frames: list[framing.Frame] = []
        deadline = time.monotonic() + TIMEOUT
        while len(frames) < count and time.monotonic() < deadline:
            events = self._decoder.feed(self._transport.read())
            assert all(isinstance(event, framing.Frame) for event in events)
            frames += events
        assert len(frames) == count
        return frames


@pytest.fixture
def line(port: str) -> Iterator[Line]:
    transport = open_transport(port, TIMEOUT)
    try:
        transport.write(b"\0")
        yield Line(transport)
    finally:
        transport.close()


def unknown_command(request_id: int, payload: bytes = b"") -> bytes:
    return framing.encode(UNKNOWN, request_id, payload)


def requests_of_any_size() -> Iterator[bytes]:
    """Yield requests with id 7 that need no session, the longest first."""
    return (unknown_command(7, b"\1" * size) for size in range(framing.MAX_PAYLOAD_BEFORE_SESSION, -1, -1))


def assert_alive(line: Line, request_id: int = 99) -> None:
    (frame,) = line.ask(framing.encode(commands.HELLO.code, request_id, b""))
    assert (frame.kind, frame.request_id) == (commands.HELLO.code | framing.ANSWER, request_id)


@pytest.mark.parametrize("wire", [63, 64, 65, 127, 128, None])
def test_requests_of_awkward_sizes(line: Line, wire: int | None) -> None:
    request = next(r for r in requests_of_any_size() if wire in (len(r), None))
    (frame,) = line.ask(request)
    assert (frame.kind, frame.request_id) == (framing.ERROR, 7)
    assert int.from_bytes(frame.payload) == errors.UNKNOWN_COMMAND


@pytest.mark.parametrize("wire", [63, 64, 65, 127, 128, 255, 256, 257, None])
def test_requests_of_awkward_sizes_in_a_session(unit: ndks.Unit, wire: int | None) -> None:
    unit.unlock()
    longest = framing.MAX_PAYLOAD - OVERHEAD
    size = longest if wire is None else wire - len(framing.encode(UNKNOWN, 7, b"\1" * OVERHEAD))
    anything = SimpleNamespace(code=UNKNOWN, name="?", needs=commands.NOTHING, request=Layout(">*", "data"))
    for body in range(size - 1, min(size + 1, longest) + 1):  # the COBS overhead of a frame is not known in advance
        with pytest.raises(ndks.DeviceError) as refused:
            unit._link.call_raw(anything, b"\1" * body)
        assert refused.value.number == errors.UNKNOWN_COMMAND


def test_before_a_session_requests_are_short(line: Line, port: str) -> None:
    if port.startswith(SERVICE):
        pytest.skip("a service has no sessions with its clients")
    line.ask(unknown_command(7, b"\1" * (framing.MAX_PAYLOAD_BEFORE_SESSION + 1)), 0)
    assert_alive(line)


def test_glued_requests_are_answered_in_order(line: Line) -> None:
    frames = line.ask(b"".join(unknown_command(number) for number in range(20)), 20)
    assert [frame.request_id for frame in frames] == list(range(20))


def test_a_request_byte_by_byte(line: Line) -> None:
    request = unknown_command(8, b"slow")
    for byte in request[:-1]:
        line.ask(bytes([byte]), 0)
    assert line.ask(request[-1:])[0].request_id == 8


def test_garbage_is_dropped_and_counted(line: Line, port: str) -> None:
    rng = random.Random(5)
    for _ in range(5):
        line.ask(rng.randbytes(300).replace(b"\0", b"\1") + b"\0", 0)
    assert_alive(line)


def test_a_frame_longer_than_any_is_dropped(line: Line) -> None:
    line.ask(b"\1" * 5000 + b"\0", 0)
    assert_alive(line)


def test_a_flipped_bit_is_noticed(line: Line) -> None:
    wire = bytearray(unknown_command(9, bytes(range(1, 60))))
    wire[30] ^= 4
    line.ask(bytes(wire), 0)
    assert_alive(line, 10)


def test_dropped_frames_are_in_status(unit: ndks.Unit, port: str) -> None:
    before = unit.status().dropped_frames
    unit.close()
    transport = open_transport(port, TIMEOUT)
    Line(transport).ask(b"\0\1\2\3\0", 0)
    assert_alive(Line(transport))
    transport.close()
    with ndks.open(port) as again:
        # An emulated unit in this process counts from zero each time it is opened. No garbage passes a service.
        expected = 0 if port.startswith(EMULATOR) else before if port.startswith(SERVICE) else before + 1
        assert again.status().dropped_frames == expected


def test_every_command_refuses_a_payload_that_does_not_fit(line: Line, port: str) -> None:
    for command in commands.TABLE.values():
        usual = [b"", b"\1" * 5] if command.request.kinds else [b"\1"]
        for payload in _WRONG.get(command, usual):
            (frame,) = line.ask(framing.encode(command.code, 11, payload))
            expected = {
                commands.NOTHING: errors.BAD_REQUEST,
                commands.USABLE: errors.BAD_REQUEST,
                commands.IS_BLANK: errors.PROVISIONED,  # the dispatcher checks preconditions first
                commands.IS_BLANK | commands.PROVED: errors.PROVISIONED,
            }.get(command.needs, errors.LOCKED)
            if port.startswith(SERVICE):
                expected = _OF_NO_SERVICE.get(command, errors.BAD_REQUEST)
            assert (frame.kind, int.from_bytes(frame.payload)) == (framing.ERROR, expected), command.name
