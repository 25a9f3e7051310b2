# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure the time of requests in a session of an emulated unit, and of their parts.

python tests/benchmarks/session.py [repetitions]
"""

import os
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ndks
from ndks.crypto import CRYPTO
from ndks.keys.generator import VectorGenerator
from ndks.line.link import Link
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, framing
from ndks_protocol.kdf import Mac
from ndks_protocol.session import OVERHEAD, SYNC_SIZE


class TimedUnit(MemoryUnit):
    """A unit that records the time of each request in seconds."""

    def __init__(self) -> None:
        super().__init__(make_generator=VectorGenerator)
        self.times: list[float] = []

    def write(self, data: bytes) -> None:
        started = time.perf_counter()
        super().write(data)
        self.times.append(time.perf_counter() - started)


def median_of_requests(repetitions: int, command: commands.Command, *values: object) -> float:
    """Return the median time of a request in a session, in microseconds, without what its host does."""
    timed = TimedUnit()
    link = Link(timed, 10.0)
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as directory:
        unit = ndks.Unit("memory", link, ndks.BindingStore(Path(directory)))
        unit.bind(unit.provision(ndks.Network.new("bench"), 1))
        unit.unlock()
        timed.times.clear()
        for _ in range(repetitions):
            link.call(command, *values)
    return sorted(timed.times)[repetitions // 2] * 1e6


def median(repetitions: int, operation: Callable[[], object]) -> float:
    """Return the median time of an operation in microseconds."""
    times: list[float] = []
    for _ in range(repetitions):
        started = time.perf_counter()
        operation()
        times.append(time.perf_counter() - started)
    return sorted(times)[repetitions // 2] * 1e6


def main(repetitions: int) -> None:
    print(f"{'microseconds, medians':32}{'whole':>8}{'AES':>8}{'SHA-256':>9}{'framing':>9}{'the rest':>10}")
    for name, size, command, values in (
        ("NEXT_INDEX, 12 bytes back", 12, commands.NEXT_INDEX, ()),
        ("KEY_CHUNK, 1024 bytes back", 1024, commands.KEY_CHUNK, (0, 1, 0, 1024)),
    ):
        request = len(command.request.pack(*values))
        whole = median_of_requests(repetitions, command, *values)
        parts = [sum(cost(repetitions, size) for size in (request, size)) for cost in (aes, sha, frame)]
        print(f"{name:32}{whole:8.0f}{parts[0]:8.0f}{parts[1]:9.0f}{parts[2]:9.0f}{whole - sum(parts):10.0f}")


def aes(repetitions: int, size: int) -> float:
    blocks = bytearray(-(-(size + SYNC_SIZE) // 16) * 16)
    return median(repetitions, lambda: CRYPTO.aes_ctr(bytes(32), bytes(16), blocks))


def sha(repetitions: int, size: int) -> float:
    mac, ciphertext = Mac(CRYPTO, bytes(32)), bytes(size + SYNC_SIZE)
    return median(repetitions, lambda: mac.digest(struct.pack(">QBI", 0, 0, 0), ciphertext))


def frame(repetitions: int, size: int) -> float:
    """Return the median time of decoding a frame in microseconds."""
    wire = framing.encode(1, 1, os.urandom(size + OVERHEAD))
    decoder = framing.Decoder()
    return median(repetitions, lambda: decoder.feed(wire))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ["2000"]))
