# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A second implementation, from PROTOCOL.md alone, as a client of a service."""

import itertools
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from capsule_reference import (
    AES,
    HYBRID,
    VERNAM,
    WIRE_CHUNK,
    WIRE_HEADER,
    Message,
    aes_ctr,
    clear_header,
    derive,
    paper_bytes,
    pattern,
    suite_network,
    xor,
)
from frame_reference import ReferenceDecoder, frame
from support.emulate_process import emulated
from support.public_network import public_network
from support.serve_process import ServeProcess, served
from wire_codes import C, E

import ndks

WATCH, TAKE_NUMBER, MESSAGE_KEYS, OPEN_MESSAGE_KEYS = 0x70, 0x71, 0x72, 0x73
HELD, AGAIN, ALLOW_JUMP = 8, 1, 2


class Client:
    """A connection by frames alone."""

    def __init__(self, path: Path) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(str(path))
        self._ids = itertools.count(7)

    def ask(self, kind: int, payload: bytes = b"") -> bytes:
        """Return the payload of the answer; for an error its code as a number in a ValueError."""
        request_id = next(self._ids)
        self._line.sendall(frame(kind, request_id, payload))
        decoder = ReferenceDecoder()
        while True:
            for event in decoder.events(self._line.recv(4096)):
                answered, answered_id, body = event
                assert answered_id == request_id
                if answered == 0xFF:
                    raise ValueError(int.from_bytes(body))
                assert answered == kind | 0x80
                return body

    def code(self, kind: int, payload: bytes = b"") -> int:
        with pytest.raises(ValueError, match=r"\d") as refused:
            self.ask(kind, payload)
        return refused.value.args[0]

    def close(self) -> None:
        self._line.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    with emulated(tmp_path_factory.mktemp("unit") / "state") as unit:
        with ndks.open(unit.port) as opened:
            opened.bind(opened.provision(public_network(), 1))
        with served(unit.port) as running:
            yield running


@pytest.fixture
def client(service: ServeProcess) -> Iterator[Client]:
    client = Client(service.path("admin"))
    yield client
    client.close()


def clear_of(masked: bytes) -> bytes:
    """Return the clear header of a masked one."""
    mask = derive(suite_network().secret, "ndks header mask")
    return masked[:1] + aes_ctr(mask, masked[1:17], masked[17:])


def test_hello_is_held(client: Client) -> None:
    hello = client.ask(C.HELLO)
    assert hello[7] == HELD
    assert {client.code(kind, bytes(16)) for kind in (C.OPEN_SESSION, C.PROVE)} == {E.UNKNOWN_COMMAND}


def test_exported_keys(client: Client) -> None:
    epoch, index = struct.unpack(">IQ", client.ask(C.NEXT_INDEX))
    key = client.ask(C.KEY_CHUNK, struct.pack(">IQQH", epoch, index, 0, 40))
    mask = derive(suite_network().secret, "ndks export mask", struct.pack(">Q", index))
    assert key == xor(paper_bytes(suite_network(), index, 40), aes_ctr(mask, bytes(16), bytes(40)))
    assert client.ask(C.ACKNOWLEDGE, struct.pack(">IQB", epoch, index, 0)) == struct.pack(">Q", index + 1)
    assert client.code(C.KEY_CHUNK, struct.pack(">IQQH", 1, index, 0, 40)) == E.EPOCH


@pytest.mark.parametrize("cipher", [VERNAM, AES])
def test_mode_b(client: Client, cipher: int) -> None:
    data = pattern(2500)
    token = bytes([cipher]) * 8
    begun = client.ask(C.SEAL_BEGIN, token + bytes([cipher, 0]) + bytes(8))
    header, epoch = begun[:WIRE_HEADER], begun[WIRE_HEADER:]
    assert epoch == bytes(4)
    pieces = [data[:1016], data[1016:2040], data[2040:]]
    sealed = b"".join(
        client.ask(C.SEAL_CHUNK, token + struct.pack(">IB", number, number == 2) + piece)
        for number, piece in enumerate(pieces)
    )
    binding_id = client.ask(C.HELLO)[32:48]
    expected = Message(suite_network(), clear_of(header), data, binding_id)
    assert header + sealed == expected.capsule
    theirs = Message(suite_network(), clear_header(HYBRID, cipher, 3, 9, bytes(8)), data)
    handle, *_ = struct.unpack(">8sHQBBI", client.ask(C.OPEN_BEGIN, theirs.header + bytes([AGAIN])))
    chunks = theirs.capsule[WIRE_HEADER:]
    opened = b"".join(
        client.ask(C.OPEN_CHUNK, handle + struct.pack(">IB", number, number == 2) + chunks[start : start + WIRE_CHUNK])
        for number, start in enumerate(range(0, len(chunks), WIRE_CHUNK))
    )
    assert opened == data


@pytest.mark.parametrize("kind", [C.SEAL_KEYS, MESSAGE_KEYS])
def test_keys_of_a_message(client: Client, kind: int) -> None:
    token = bytes([kind]) * 8
    answer = client.ask(kind, token + (bytes([AES, 0]) if kind == C.SEAL_KEYS else b"") + bytes(8))
    header, tag_key, sync = answer[:37], answer[37:69], answer[69:77]
    aes_key = answer[77:109] if kind == MESSAGE_KEYS else answer[81:]  # behind the epoch
    check = answer[109:] if kind == MESSAGE_KEYS else client.ask(C.MESSAGE_CHECK, token + struct.pack(">Q", 5))
    expected = Message(suite_network(), clear_of(header), b"hello", client.ask(C.HELLO)[32:48])
    assert (tag_key, sync, aes_key, check) == (expected.tag_key, expected.sync, expected.z, expected.check)


def test_keys_of_a_received_message_and_its_acceptance(client: Client) -> None:
    theirs = Message(suite_network(), clear_header(HYBRID, AES, 4, 100, bytes(8)), b"hello")
    request = theirs.header + bytes([0])
    answer = client.ask(OPEN_MESSAGE_KEYS, request)
    assert struct.unpack(">HQ", answer[:10]) == (4, 100)
    assert (answer[10:42], answer[50:82], answer[82:]) == (theirs.tag_key, theirs.z, theirs.check)
    assert client.ask(C.ACCEPT, request) == b""
    assert client.code(OPEN_MESSAGE_KEYS, request) == E.DUPLICATE
    damaged = bytearray(request)
    damaged[20] ^= 1
    assert client.code(OPEN_MESSAGE_KEYS, bytes(damaged)) == E.HEADER
    vernam = Message(suite_network(), clear_header(HYBRID, VERNAM, 4, 101, bytes(8)), b"hello")
    assert client.code(OPEN_MESSAGE_KEYS, vernam.header + bytes([0])) == E.RANGE


def test_numbers_of_the_own_lane(client: Client) -> None:
    taken = [struct.unpack(">IHQ", client.ask(TAKE_NUMBER)) for _ in range(3)]
    assert taken == [(0, 1, taken[0][2] + place) for place in range(3)]


def test_watch(client: Client) -> None:
    serial, *seen = struct.unpack(">IBIHBH", client.ask(WATCH, struct.pack(">I", 0)))
    assert seen == [1, 0, 0, 0, 0xFFFF]
    assert serial > 0
