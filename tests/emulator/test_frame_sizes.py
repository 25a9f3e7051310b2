# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Frames whose size on the wire lies around multiples of a USB packet, and the largest ones, in both directions.

Stacks have stalled on packets of exactly 64 bytes; nothing may depend on how a frame is cut.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from support.emulate_process import emulated

import ndks
from ndks_protocol import commands, errors, framing

UNKNOWN_CODE = 0x7E
REQUEST_ID = 0x01020304
AROUND_PACKETS = (63, 64, 65, 127, 128, 255, 256, 257)
LARGEST_REQUEST = len(framing.encode(UNKNOWN_CODE, REQUEST_ID, b"\x01" * framing.MAX_PAYLOAD))
PAPER_LIKE = ndks.Network("sizes", "paper", "vernam", "0.52", "25", 3, 0, bytes(32))


@pytest.fixture(scope="module", params=["--pty", "--tcp"])
def unit_port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A provisioned unit behind each kind of line."""
    directory = tmp_path_factory.mktemp("sizes")
    with ndks.open(f"emulator:{directory / 'unit'}", create=True) as unit:
        unit.provision(PAPER_LIKE, 1)
    options = [request.param] if request.param == "--pty" else [request.param, "0"]
    with emulated(directory / "unit", *options) as process:
        yield process.port


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The first 1024 bytes of key 1, from another unit."""
    directory = Path(tmp_path_factory.mktemp("other"))
    with ndks.open(f"emulator:{directory}", create=True) as unit:
        unit.provision(PAPER_LIKE, 2)
        return unit.key(1, 8 * commands.MAX_CHUNK).data


@pytest.fixture(scope="module")
def opened(unit_port: str) -> Iterator[serial.Serial]:
    # Once for all sizes: pyserial takes 0.3 s to close a socket.
    with serial.serial_for_url(unit_port, timeout=10) as opened:
        yield opened


@pytest.fixture
def host(opened: serial.Serial) -> serial.Serial:
    opened.write(b"\0")
    opened.reset_input_buffer()
    return opened


def request_of(wire_size: int) -> bytes:
    # COBS grows with each run of 254 bytes without a zero: with and without one, every size can be had.
    payloads = (start + b"\x01" * size for size in range(framing.MAX_PAYLOAD) for start in (b"\x01", b"\0"))
    frames = (framing.encode(UNKNOWN_CODE, REQUEST_ID, payload) for payload in payloads)
    return next(frame for frame in frames if len(frame) == wire_size)


def chunk_of(key: bytes, wire_size: int) -> tuple[int, int]:
    """Return offset and size of a chunk of the key whose answer has that size on the wire."""
    sizes = range(wire_size - 20, wire_size)
    chunks = ((offset, size) for size in sizes for offset in range(len(key) - size + 1))
    return next(chunk for chunk in chunks if len(chunk_answer(key, *chunk)) == wire_size)


def chunk_request(offset: int, size: int) -> bytes:
    return framing.encode(commands.KEY_CHUNK.code, REQUEST_ID, commands.KEY_CHUNK.request.pack(0, 1, offset, size))


def chunk_answer(key: bytes, offset: int, size: int) -> bytes:
    return framing.encode(commands.KEY_CHUNK.code | framing.ANSWER, REQUEST_ID, key[offset : offset + size])


@pytest.mark.parametrize("wire_size", [*AROUND_PACKETS, 512, 1024, LARGEST_REQUEST])
def test_request_of_any_size_is_answered(host: serial.Serial, wire_size: int) -> None:
    host.write(request_of(wire_size))
    unknown = framing.encode(framing.ERROR, REQUEST_ID, errors.UNKNOWN_COMMAND.to_bytes(2, "big"))
    assert host.read(len(unknown)) == unknown


@pytest.mark.parametrize("wire_size", [*AROUND_PACKETS, 512, 1024])
def test_answer_of_any_size_arrives(host: serial.Serial, key: bytes, wire_size: int) -> None:
    chunk = chunk_of(key, wire_size)
    host.write(chunk_request(*chunk))
    assert host.read(wire_size) == chunk_answer(key, *chunk)


def test_largest_answer_arrives(host: serial.Serial, key: bytes) -> None:
    answer = chunk_answer(key, 0, commands.MAX_CHUNK)
    host.write(3 * chunk_request(0, commands.MAX_CHUNK))
    assert host.read(3 * len(answer)) == 3 * answer


@pytest.mark.parametrize("piece", [1, 63, 64, 65])
def test_request_cut_into_pieces_is_answered(host: serial.Serial, piece: int) -> None:
    request = request_of(257)
    for start in range(0, len(request), piece):
        host.write(request[start : start + piece])
        host.flush()
    unknown = framing.encode(framing.ERROR, REQUEST_ID, errors.UNKNOWN_COMMAND.to_bytes(2, "big"))
    assert host.read(len(unknown)) == unknown


def test_request_that_is_too_long_is_dropped_and_counted(host: serial.Serial) -> None:
    host.write(b"\x01" * 5000 + b"\0")
    host.write(framing.encode(commands.STATUS.code, REQUEST_ID, b""))
    answer = host.read_until(b"\0")
    (frame,) = framing.Decoder().feed(answer)
    assert isinstance(frame, framing.Frame)
    status = dict(zip(commands.STATUS.answer.names, commands.STATUS.answer.unpack(frame.payload), strict=True))
    assert status["dropped_frames"] >= 1
