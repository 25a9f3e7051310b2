# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A carrier in the hands of the test: it brings what it is told to, and keeps what it is given."""

import threading

from carriers.inbox import PATIENCE

from ndks.carriers.carrier import Receive, Received
from ndks.exceptions import NdksError


class Wire:
    largest = None
    retains = True
    is_idle = True

    def __init__(self) -> None:
        self.url = "wire:"
        self.problem: NdksError | None = None
        self.has_room = True
        self.sent: list[bytes] = []
        self._is_started = threading.Event()

    def start(self, receive: Receive) -> None:
        self._receive = receive
        self._is_started.set()

    def bring(self, *packets: bytes) -> list[threading.Event]:
        """Bring packets; return what is set for each when it is taken."""
        assert self._is_started.wait(PATIENCE), "the agent starts its carriers"
        taken = [threading.Event() for _ in packets]
        for packet, event in zip(packets, taken, strict=True):
            self._receive(Received(packet, event.set, self.url))
        return taken

    def deliver(self, packet: bytes) -> threading.Event:
        return self.bring(packet)[0]

    def send(self, packet: bytes, generation: int | None = None, *, passing: bool = False) -> bool:
        self.sent.append(packet)
        return True

    def close(self) -> None:
        self._is_started.clear()
