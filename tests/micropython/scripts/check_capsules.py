# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of capsules.json and suite.json: sealing and opening, errors, replay windows."""

import hashlib

from harness import expect, run
from memory_board import MemoryBoard

from ndks_protocol import errors
from ndks_protocol.capsule import (
    CHUNK,
    FIRST_PIECE,
    TAG_SIZE,
    Header,
    HeaderKeys,
    MessageKeys,
    Opener,
    Sealer,
    Window,
    header_keys,
)
from ndks_protocol.generator import F1, F2, Generator
from ndks_protocol.wire import WIRE_HEADER_SIZE

_board = MemoryBoard()


class Network:
    """The network of a case."""

    def __init__(self, case: dict):
        self._secret = bytes.fromhex(case["secret"])
        self._generator = Generator(case["p1"], case["p2"], case["d"], case.get("f1", F1[0]), case.get("f2", F2[0]))
        self.header_keys = HeaderKeys(_board, header_keys(_board, self._secret))

    def keys(self, header: Header, binding_id: bytes) -> MessageKeys:
        paper = self._generator.key(header.index)
        return MessageKeys(_board, self._secret, header, binding_id, lambda at, size: paper.read(8 * at, 8 * size))


def check_good(case: dict) -> None:
    network = Network(case)
    data = bytes.fromhex(case["data"]) if "data" in case else _pattern(case["size"])
    binding_id = bytes.fromhex(case["binding_id"])
    header = Header.new(case["suite"], case["cipher"], case["lane"], case["n"], bytes.fromhex(case["salt"]))
    capsule = _sealed(network, header, binding_id, data)
    if "capsule" in case:
        expect(capsule, bytes.fromhex(case["capsule"]))
    else:
        expect(hashlib.sha256(capsule).digest(), bytes.fromhex(case["sha256"]))
    expect(_opened(network, capsule, case["suite"], case["lane"] ^ 1, binding_id), data)


def _pattern(size: int) -> bytes:
    data = bytearray(size)
    for i in range(size):
        data[i] = i % 251
    return bytes(data)


def check_bad(case: dict) -> None:
    binding_id = bytes.fromhex(case["binding_id"])
    try:
        _opened(Network(case), bytes.fromhex(case["capsule"]), case["suite"], case["own_lane"], binding_id)
    except errors.UnitError as error:
        expect(error.code, case["error"])
    else:
        raise AssertionError("opened: " + case["why"])


def check_window(case: list) -> None:
    packed = b""
    for number, allow_jump, expected in case:
        window = Window(packed)
        expect(_accepted(window, number, allow_jump), expected)
        packed = window.pack()


def _accepted(window: Window, number: int, allow_jump: int) -> int:
    """Return the error code, or 0."""
    try:
        window.check_unseen(number)
        if not allow_jump:
            window.check_near(number)
    except errors.UnitError as error:
        return error.code
    window.accept(number)
    return 0


def _sealed(network: Network, header: Header, binding_id: bytes, data: bytes) -> bytes:
    sealer = Sealer(_board, network.keys(header, binding_id))
    capsule = network.header_keys.mask(header)
    start, size, number = 0, FIRST_PIECE, 0
    while len(data) - start > size:
        capsule += sealer.seal(number, 0, data[start : start + size])
        start, size, number = start + size, CHUNK, number + 1
    return capsule + sealer.seal(number, 1, data[start:])


def _opened(network: Network, capsule: bytes, suite: int, own_lane: int, binding_id: bytes) -> bytes:
    header = network.header_keys.unmask(capsule[:WIRE_HEADER_SIZE])
    header.check(suite, own_lane)
    opener = Opener(_board, network.keys(header, binding_id))
    chunks = capsule[WIRE_HEADER_SIZE:]
    data, number, size = b"", 0, CHUNK + TAG_SIZE
    while len(chunks) > size:
        data += opener.open(number, 0, chunks[:size])
        chunks, number = chunks[size:], number + 1
    return data + opener.open(number, 1, chunks)


run({"good": check_good, "bad": check_bad, "window": check_window})
