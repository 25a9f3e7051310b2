# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a carrier delivers in a test."""

import queue
import time
from collections.abc import Callable

from ndks.carriers.carrier import Received

PATIENCE = 60.0  # seconds, in which a busy machine gets anything done


class Inbox:
    """The packets that arrive; each is taken at once, unless `takes` is false."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self._received: queue.Queue[Received] = queue.Queue()

    def __call__(self, received: Received) -> None:
        self._received.put(received)

    def next(self, patience: float = PATIENCE) -> bytes:
        received = self._received.get(timeout=patience)
        if self.takes:
            received.taken()
        return received.packet

    def rest(self, pause: float = 1.0) -> list[bytes]:
        """Return what comes until nothing has come for a while."""
        found: list[bytes] = []
        while True:
            try:
                found.append(self.next(pause))
            except queue.Empty:
                return found


def wait_until(holds: Callable[[], object], patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)
