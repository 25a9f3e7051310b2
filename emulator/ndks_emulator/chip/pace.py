# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The time of a chip beside that of the world."""

import time

_LAG = 0.25  # seconds; a chip that is further behind, on a slow or suspended PC, does not catch up


class Pace:
    """Keeps a chip's time at `speed` times real time; infinity is as fast as the PC can."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._start = time.monotonic()

    def ahead(self, nanoseconds: int) -> float:
        """Return by how many seconds a chip is ahead of real time, at least 0."""
        ahead = self._start + nanoseconds / 1e9 / self._speed - time.monotonic()
        if ahead < -_LAG:
            self._start -= ahead
        return max(0.0, ahead)
