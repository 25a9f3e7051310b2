# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The channel between laptops with an eavesdropper: a relay on 127.0.0.1 that records all traffic."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from ndks_laboratory import times

_SIZE = 4096
_FLIPPED = 100  # offset of the flipped bit: after the header, in the first chunk


@dataclass(frozen=True)
class Segment:
    """Data of one read, with its time in seconds since 1970 and the ports of both laptops."""

    time: float
    sender_port: int
    receiver_port: int
    data: bytes


class Relay:
    """Forwards data from one side to the other; `recorded` is the sent data, without any alteration."""

    def __init__(self, *, tamper: bool) -> None:
        self.segments: list[Segment] = []
        self._tamper = tamper
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(times.CHANNEL_LOOK)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    @property
    def recorded(self) -> bytes:
        return b"".join(segment.data for segment in self.segments)

    def accept(self, check: Callable[[], None]) -> socket.socket:
        """Wait for the next laptop and return its connection; call `check` while waiting. TimeoutError."""
        deadline = time.monotonic() + times.CHANNEL
        while True:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                check()
                if time.monotonic() > deadline:
                    raise
            else:
                connection.settimeout(times.CHANNEL)
                return connection

    def carry(self, sender: socket.socket, receiver: socket.socket) -> None:
        """Forward all data of the sender until it disconnects."""
        ports = sender.getpeername()[1], receiver.getpeername()[1]
        start = 0
        while data := sender.recv(_SIZE):
            self.segments.append(Segment(time.time(), *ports, data))
            passed_on = bytearray(data)
            if self._tamper and start <= _FLIPPED < start + len(data):
                passed_on[_FLIPPED - start] ^= 1
            receiver.sendall(passed_on)
            start += len(data)
