# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The channel between laptops, with a listener: a relay on 127.0.0.1 that records all that passes."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from ndks_laboratory import times

_SIZE = 4096
_FLIPPED = 100  # the byte that a tampering relay alters by one bit: behind the header, in the first chunk


@dataclass(frozen=True)
class Segment:
    """What one side sent at once: when (seconds since 1970), and the ports of both laptops."""

    time: float
    sender_port: int
    receiver_port: int
    data: bytes


class Relay:
    """Passes on what one side sends to the other; `recorded` is what was sent, even if a bit of it was altered."""

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
        """Wait for the next laptop and return its connection; `check` is called meanwhile. TimeoutError."""
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
        """Pass on all that the sender sends, until it hangs up."""
        ports = sender.getpeername()[1], receiver.getpeername()[1]
        start = 0
        while data := sender.recv(_SIZE):
            self.segments.append(Segment(time.time(), *ports, data))
            passed_on = bytearray(data)
            if self._tamper and start <= _FLIPPED < start + len(data):
                passed_on[_FLIPPED - start] ^= 1
            receiver.sendall(passed_on)
            start += len(data)
