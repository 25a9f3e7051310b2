# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bytes and blocks of heap that a unit allocates for each request of a session that is asked often.

Hardware and generator of this board allocate nothing, so that the figures are those of the unit's own code.
"""

import gc

import memory_host
import micropython
from harness import report
from memory_board import MemoryBoard

from ndks_protocol import wire
from ndks_unit import sessions

_BLOCK = 32  # bytes of a block of this heap; a board's has 16
_WARM_UP = 3  # requests: the first ones fill caches
_COUNTED = 5
_TOKEN = bytes(8)
_BYTE = b"\x5a"


def same_transcript(*messages) -> bytes:
    """Return a transcript hash that no version changes: bytes of tags that are zero make work for COBS."""
    return bytes(32)


memory_host.transcript = sessions.transcript = same_transcript


class SameBits:
    """A key of equal bytes, as fast generators give it. No byte is zero: a zero makes work for COBS."""

    piece = 256

    def __init__(self, index: int):
        self.index = index

    def read_into(self, view: memoryview, first: int) -> None:
        for i in range(len(view)):
            view[i] = _BYTE[0]


class SameGenerator:
    def key(self, index: int) -> SameBits:
        return SameBits(index)


class FrugalBoard(MemoryBoard):
    """A board without ciphers, which gives each request of the host to the unit at once."""

    def receive(self) -> int:
        self.received, self.inbound = self.inbound, b""
        return len(self.received)

    def write(self, data: memoryview) -> bool:
        self.outbound = data
        return True

    def entropy(self, size: int) -> bytes:
        return bytes(size)

    def aes_ctr(self, key: bytes, iv: bytes, buffer: bytearray) -> None:
        pass

    def xor(self, buffer: bytearray, other: bytes) -> None:
        for i in range(len(buffer)):
            buffer[i] ^= other[i]

    def generator(self, p1: str, p2: str, digits: int) -> SameGenerator:
        return SameGenerator()


class CountingHost(memory_host.Host):
    """A host that can count what its unit allocates for a request."""

    def __init__(self, lane: int = 1):
        self.counts = False
        super().__init__(FrugalBoard())
        self.provision(lane)

    def sent_back(self, data: bytes) -> bytes:
        self.board.inbound = data
        if self.counts:
            gc.collect()
            gc.disable()
        before = micropython.mem_total(), gc.mem_alloc()
        self._unit.poll()
        self.bytes = micropython.mem_total() - before[0]
        self.blocks = (gc.mem_alloc() - before[1]) // _BLOCK
        gc.enable()
        return bytes(self.board.outbound)


def count(host: CountingHost, name: str, ask) -> None:
    """Report the maxima of some requests; `ask(number)` sends one."""
    for number in range(_WARM_UP):
        ask(number)
    host.counts = True
    most_bytes = most_blocks = 0
    for number in range(_WARM_UP, _WARM_UP + _COUNTED):
        ask(number)
        most_bytes, most_blocks = max(most_bytes, host.bytes), max(most_blocks, host.blocks)
    host.counts = False
    report(name + "_bytes", most_bytes)
    report(name + "_blocks", most_blocks)


def seal(host: CountingHost, cipher: int) -> list:
    """Count the chunks of a message and return its header and chunks."""
    header, _ = host.call(wire.SEAL_BEGIN, _TOKEN[:7] + bytes((cipher,)), cipher, wire.DATA, bytes(8))
    chunks = []

    def ask(number: int) -> None:
        data = b"\x33" * (wire.MAX_CHUNK if number else wire.MAX_CHUNK - 8)
        chunks.append(host.call(wire.SEAL_CHUNK, _TOKEN[:7] + bytes((cipher,)), number, 0, data)[0])

    count(host, "SEAL_CHUNK_" + wire.CIPHERS[cipher], ask)
    chunks.insert(0, header)
    return chunks


def open_again(host: CountingHost, cipher: int, capsule: list) -> None:
    (handle, *_) = host.call(wire.OPEN_BEGIN, capsule[0], 0)
    name = "OPEN_CHUNK_" + wire.CIPHERS[cipher]
    count(host, name, lambda number: host.call(wire.OPEN_CHUNK, handle, number, 0, capsule[1 + number]))


def sealed_and_opened() -> None:
    """Seal with lane 1, then open with lane 2 of the same network."""
    for cipher in (wire.AES, wire.VERNAM):
        capsule = seal(CountingHost(), cipher)
        open_again(CountingHost(lane=2), cipher, capsule)


def keys() -> None:
    host = CountingHost()
    count(host, "NEXT_INDEX", lambda number: host.call(wire.NEXT_INDEX))
    count(host, "KEY_CHUNK_new_key", lambda number: host.call(wire.KEY_CHUNK, 0, 1 + number, 0, 32))
    count(host, "KEY_CHUNK_same_key", lambda number: host.call(wire.KEY_CHUNK, 0, 9, 1024 * number, wire.MAX_CHUNK))
    count(host, "ACKNOWLEDGE", lambda number: host.call(wire.ACKNOWLEDGE, 0, 1 + number, 0))


keys()
sealed_and_opened()
