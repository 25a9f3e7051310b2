# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How long a file will take on this very unit, told soon after the beginning where that is long."""

import time

_MEASURED = 1.0  # seconds
_LONG = 10.0  # seconds: what takes longer is told
_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


class Forecast:
    """Measures the first second of a transfer of `total` bytes, if they are known."""

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._started: float | None = None
        self._size = 0

    def update(self, size: int) -> str:
        """Count `size` more bytes; return how long all will take, once, when that is known and long, else ""."""
        now = time.monotonic()
        if self._started is None:  # what came first has waited for the unit to begin
            self._started = now
            return ""
        self._size += size
        elapsed = now - self._started
        if self._total is None or elapsed < _MEASURED:
            return ""
        rate, total = self._size / elapsed, self._total
        self._total = None
        return f"about {_duration(total / rate)} at {_rate(rate)}" if total / rate > _LONG else ""


def _duration(seconds: float) -> str:
    name, size = next(unit for unit in _UNITS if seconds >= 2 * unit[1] or unit[1] == 1)
    return f"{round(seconds / size)} {name}"


def _rate(rate: float) -> str:
    return f"{rate / 1e6:.1f} MB/s" if rate >= 1e6 else f"{rate / 1e3:.1f} KB/s"
