# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A line that other threads can drop."""

import threading

from .lines import POLL_SECONDS, Line, ShouldContinue, always
from .power import Power


class Cable:
    """A `Line` that another thread can ask to drop. The unit's thread drops it in its next turn.

    No data pass between the request and the moment when the unit reads `connected`, so it notices every disconnection.
    """

    def __init__(self, line: Line, power: Power) -> None:
        self._line = line
        self._power = power
        self._changed = threading.Condition()
        self._to_drop = False

    def ask_to_drop(self, timeout: float) -> bool:
        """Ask the unit's thread to drop the line; return whether it did in time. For other threads."""
        with self._changed:
            self._to_drop = True
            return self._changed.wait_for(lambda: not self._to_drop, timeout)

    @property
    def address(self) -> str:
        return self._line.address

    @property
    def connected(self) -> bool:
        if self._to_drop:
            self.drop()
            return False
        return self._line.connected

    @property
    def baud(self) -> int:
        return self._line.baud

    def read(self, wait: float = POLL_SECONDS) -> bytes:
        return b"" if self._to_drop else self._line.read(wait)

    def offer(self, data: bytes) -> int:
        return 0 if self._to_drop else self._line.offer(data)

    def write(self, data: bytes, should_continue: ShouldContinue = always) -> bool:
        def is_usable() -> bool:
            return self._power.on and not self._to_drop and should_continue()

        return not self._to_drop and self._line.write(data, is_usable)

    def drop(self) -> None:
        self._line.drop()
        self._dropped()

    def plug(self) -> None:
        self._line.plug()

    def close(self) -> None:
        self._line.close()
        self._dropped()

    def _dropped(self) -> None:
        with self._changed:
            self._to_drop = False
            self._changed.notify_all()
