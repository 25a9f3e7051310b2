# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How often one client may do something: token buckets, one for each name."""

import time
from collections.abc import Callable


class Buckets:
    """Each name may do `rate` things a second, and as many at once as in `span` seconds.

    Names must come from a known list: each that is used keeps its entry for good.
    """

    def __init__(self, rate: float, span: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._full = max(1.0, rate * span)
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # tokens, and when they were counted

    def take(self, name: str) -> bool:
        """Do one thing, and return True; return False if this name has none left."""
        now = self._clock()
        left = self._left_at(now, name)
        if left < 1:
            return False
        self._left[name] = (left - 1, now)
        return True

    def is_empty(self, name: str) -> bool:
        return self._left_at(self._clock(), name) < 1

    def wait(self, name: str) -> float:
        """Return the seconds until a thing may be done."""
        return max(0.0, (1 - self._left_at(self._clock(), name)) / self._rate)

    def _left_at(self, now: float, name: str) -> float:
        left, when = self._left.get(name, (self._full, now))
        return min(self._full, left + (now - when) * self._rate)
