# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The channel between the laptops: a relay on 127.0.0.1 that lets everything pass and records every byte."""

import socket
import time
from collections.abc import Callable

from .plan import TIMEOUT

_SIZE = 4096
_PATIENCE = 0.2  # seconds between two looks at whether it is worth waiting
_FLIPPED = 100  # the byte that a tampering relay alters by one bit: behind the header, in the first chunk


class Relay:
    """Takes what one side sends to the other; `recorded` is what was sent, whatever was passed on."""

    def __init__(self, *, tamper: bool) -> None:
        self.recorded = bytearray()
        self._tamper = tamper
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_PATIENCE)

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    def accept(self, check: Callable[[], None]) -> socket.socket:
        """Return the connection of the next laptop; `check` raises what makes waiting vain. TimeoutError."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                check()
                if time.monotonic() > deadline:
                    raise
            else:
                connection.settimeout(TIMEOUT)
                return connection

    def carry(self, sender: socket.socket, receiver: socket.socket) -> None:
        """Pass on all that the sender sends, until it hangs up."""
        while data := sender.recv(_SIZE):
            start = len(self.recorded)
            self.recorded += data
            passed_on = bytearray(data)
            if self._tamper and start <= _FLIPPED < start + len(data):
                passed_on[_FLIPPED - start] ^= 1
            receiver.sendall(passed_on)
