# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Frames of sizes around multiples of a USB packet, and of the largest size, in both directions.

Some USB stacks stall on packets of exactly 64 bytes; the result must not depend on the division into packets.
"""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import serial
from support.emulate_process import emulated

import ndks
from ndks.line.link import Link
from ndks.line.session import open_anonymous_session
from ndks.line.transport import Transport, open_transport
from ndks_protocol import commands, errors, framing
from ndks_protocol.layout import Layout
from ndks_protocol.session import OVERHEAD

TIMEOUT = 60.0
UNKNOWN_CODE = 0x7E
UNKNOWN: Any = SimpleNamespace(code=UNKNOWN_CODE, name="?", needs=commands.NOTHING, request=Layout(">*", "data"))
REQUEST_ID = 0x01020304
LINES = ["--pty"], ["--tcp", "0"]
AROUND_PACKETS = (63, 64, 65, 127, 128)
LONGER = (255, 256, 257, 512, 1024)
LARGEST_BODY = framing.MAX_PAYLOAD - OVERHEAD
# The overhead of an answer depends on its data, so the requests cover all sizes around a packet.
KEY_SIZES = (*range(1, 290), *range(470, 530), *range(980, commands.MAX_CHUNK + 1))
NETWORK = ndks.Network.new("sizes")


@pytest.fixture(scope="module", params=LINES, ids=["pty", "tcp"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[serial.Serial]:
    """A blank unit behind each kind of line."""
    # One unit for all sizes, because pyserial needs 0.3 s to close a socket.
    with (
        emulated(tmp_path_factory.mktemp("sizes") / "unit", *request.param) as process,
        serial.serial_for_url(process.port, timeout=TIMEOUT) as opened,
    ):
        yield opened


@pytest.fixture
def host(opened: serial.Serial) -> serial.Serial:
    opened.write(b"\0")
    opened.reset_input_buffer()
    return opened


def request_of(wire_size: int) -> bytes:
    # COBS adds a byte per run of 254 bytes without a zero; bodies with and without zeros give every size.
    payloads = (start + b"\x01" * size for size in range(framing.MAX_PAYLOAD) for start in (b"\x01", b"\0"))
    frames = (framing.encode(UNKNOWN_CODE, REQUEST_ID, payload) for payload in payloads)
    return next(frame for frame in frames if len(frame) == wire_size)


@pytest.mark.parametrize("wire_size", AROUND_PACKETS)
def test_request_of_any_size_is_answered(host: serial.Serial, wire_size: int) -> None:
    host.write(request_of(wire_size))
    unknown = framing.encode(framing.ERROR, REQUEST_ID, errors.UNKNOWN_COMMAND.to_bytes(2, "big"))
    assert host.read(len(unknown)) == unknown


@pytest.mark.parametrize("options", LINES, ids=["pty", "tcp"])
def test_answer_of_any_size_arrives(tmp_path: Path, options: list[str]) -> None:
    with ndks.open(f"emulator:{tmp_path / 'other'}", create=True) as other:
        other.bind(other.provision(NETWORK, 2))
        key = other.key(1, 8 * 3 * commands.MAX_CHUNK).data
    with emulated(tmp_path / "unit", *options) as process, ndks.open(process.port) as unit:
        unit.bind(unit.provision(NETWORK, 1))
        for size in (*KEY_SIZES, len(key)):
            assert unit.key(1, 8 * size).data == key[:size]


@pytest.mark.parametrize("piece", [1, 63, 64, 65])
def test_request_cut_into_pieces_is_answered(host: serial.Serial, piece: int) -> None:
    request = request_of(128)
    for start in range(0, len(request), piece):
        host.write(request[start : start + piece])
        host.flush()
    unknown = framing.encode(framing.ERROR, REQUEST_ID, errors.UNKNOWN_COMMAND.to_bytes(2, "big"))
    assert host.read(len(unknown)) == unknown


@pytest.mark.parametrize("options", LINES, ids=["pty", "tcp"])
@pytest.mark.parametrize("piece", [1, 63, 64, 65, 4096])
def test_longer_requests_are_answered_in_a_session(tmp_path: Path, options: list[str], piece: int) -> None:
    """Only there a unit accepts them. The size on the wire depends on the ciphertext."""
    sizes = [wire - len(framing.encode(UNKNOWN_CODE, 1, b"\1" * OVERHEAD)) for wire in LONGER]
    with emulated(tmp_path / "unit", *options) as process:
        transport = open_transport(process.port, TIMEOUT)
        link = Link(Pieces(transport, piece), TIMEOUT)
        open_anonymous_session(link, link.call_raw(commands.HELLO))
        for size in (*(size + around for size in sizes for around in (-1, 0, 1)), LARGEST_BODY):
            with pytest.raises(ndks.DeviceError) as refused:
                link.call_raw(UNKNOWN, b"\1" * size)
            assert refused.value.number == errors.UNKNOWN_COMMAND
        link.close()


class Pieces:
    """A transport that sends in pieces of this size."""

    def __init__(self, transport: Transport, size: int) -> None:
        self._transport, self._size = transport, size
        self.unplugs = transport.unplugs
        self.read, self.close = transport.read, transport.close

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), self._size):
            self._transport.write(data[start : start + self._size])


def test_request_that_is_too_long_is_dropped_and_counted(host: serial.Serial) -> None:
    host.write(b"\x01" * 5000 + b"\0")
    host.write(framing.encode(commands.STATUS.code, REQUEST_ID, b""))
    answer = host.read_until(b"\0")
    (frame,) = framing.Decoder().feed(answer)
    assert isinstance(frame, framing.Frame)
    status = dict(zip(commands.STATUS.answer.names, commands.STATUS.answer.unpack(frame.payload), strict=True))
    assert status["dropped_frames"] >= 1
