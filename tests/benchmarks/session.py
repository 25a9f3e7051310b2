# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a session costs an emulated unit: whole requests, and the parts that they consist of.

python tests/benchmarks/session.py [repetitions]
"""

import os
import struct
import sys
import time
from collections.abc import Callable

from ndks.crypto import CRYPTO
from ndks.keys.generator import VectorGenerator
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, framing
from ndks_protocol.binding import BindingKeys
from ndks_protocol.kdf import Mac
from ndks_protocol.session import HOST, OVERHEAD, SYNC_SIZE, SecureChannel, proof, transcript

BINDING = bytes(32)
MEMBER = (0, 1, 1, 0, 3, bytes(32), "bench", "0.52", "25", 0, 0)


class Bench:
    """A unit in a session, and its host."""

    def __init__(self) -> None:
        self.unit = MemoryUnit(make_generator=VectorGenerator)
        self.channel: SecureChannel | None = None
        self.ask(commands.PROVISION, BINDING, *MEMBER)
        hello = commands.HELLO.answer.pack(*self.ask(commands.HELLO))
        keys = BindingKeys(CRYPTO, BINDING)
        unit_random, _ = self.ask(commands.OPEN_SESSION, bytes(16))
        transcript_hash = transcript(CRYPTO, hello, bytes(16), unit_random)
        self.ask(commands.PROVE, proof(CRYPTO, keys.auth, HOST, transcript_hash))
        self.channel = SecureChannel(CRYPTO, keys.auth, transcript_hash, HOST)
        self.ask(commands.UNLOCK, keys.kek, 0, 0)

    def ask(self, command: commands.Command, *values: object) -> tuple[object, ...]:
        frame, _ = self.timed(command, *values)
        body = frame.payload
        if self.channel:
            opened = self.channel.open(frame.kind, frame.request_id, memoryview(bytearray(body)))
            assert opened is not None
            body = bytes(opened)
        assert frame.kind != framing.ERROR
        return command.answer.unpack(body)

    def timed(self, command: commands.Command, *values: object) -> tuple[framing.Frame, float]:
        """Return the answer and the seconds that the unit took for it."""
        payload = command.request.pack(*values)
        if self.channel:
            view = memoryview(bytearray(len(payload) + OVERHEAD))
            view[SYNC_SIZE : SYNC_SIZE + len(payload)] = payload
            payload = bytes(view[: self.channel.seal(command.code, 1, view, len(payload))])
        wire = framing.encode(command.code, 1, payload)
        started = time.perf_counter()
        self.unit.write(wire)
        seconds = time.perf_counter() - started
        (frame,) = framing.Decoder().feed(self.unit.read())
        assert isinstance(frame, framing.Frame)
        return frame, seconds

    def median(self, repetitions: int, command: commands.Command, *values: object) -> float:
        """Return the median time of a request in microseconds."""
        times: list[float] = []
        for _ in range(repetitions):
            frame, seconds = self.timed(command, *values)
            assert self.channel
            assert self.channel.open(frame.kind, 1, memoryview(bytearray(frame.payload))) is not None
            times.append(seconds)
        return sorted(times)[repetitions // 2] * 1e6


def median(repetitions: int, operation: Callable[[], object]) -> float:
    """Return the median time of an operation in microseconds."""
    times: list[float] = []
    for _ in range(repetitions):
        started = time.perf_counter()
        operation()
        times.append(time.perf_counter() - started)
    return sorted(times)[repetitions // 2] * 1e6


def main(repetitions: int) -> None:
    bench = Bench()
    print(f"{'microseconds, medians':32}{'whole':>8}{'AES':>8}{'SHA-256':>9}{'framing':>9}{'the rest':>10}")
    for name, size, command, values in (
        ("NEXT_INDEX, 12 bytes back", 12, commands.NEXT_INDEX, ()),
        ("KEY_CHUNK, 1024 bytes back", 1024, commands.KEY_CHUNK, (0, 1, 0, 1024)),
    ):
        request = len(command.request.pack(*values))
        whole = bench.median(repetitions, command, *values)
        parts = [sum(cost(repetitions, size) for size in (request, size)) for cost in (aes, sha, frame)]
        print(f"{name:32}{whole:8.0f}{parts[0]:8.0f}{parts[1]:9.0f}{parts[2]:9.0f}{whole - sum(parts):10.0f}")


def aes(repetitions: int, size: int) -> float:
    blocks = bytearray(-(-(size + SYNC_SIZE) // 16) * 16)
    return median(repetitions, lambda: CRYPTO.aes_ctr(bytes(32), bytes(16), blocks))


def sha(repetitions: int, size: int) -> float:
    mac, ciphertext = Mac(CRYPTO, bytes(32)), bytes(size + SYNC_SIZE)
    return median(repetitions, lambda: mac.digest(struct.pack(">QBI", 0, 0, 0), ciphertext))


def frame(repetitions: int, size: int) -> float:
    """One way: the unit decodes one and encodes the other."""
    wire = framing.encode(1, 1, os.urandom(size + OVERHEAD))
    decoder = framing.Decoder()
    return median(repetitions, lambda: decoder.feed(wire))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ["2000"]))
