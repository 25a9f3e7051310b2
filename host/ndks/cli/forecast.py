# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An estimate of how long a file will take, measured on the unit in use during the first second."""

import time

_MEASURED = 1.0  # seconds
_LONG = 10.0  # seconds: shorter times are not mentioned
_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


class Forecast:
    """Measures the first second of a transfer of `total` bytes (None: unknown)."""

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._started: float | None = None
        self._size = 0

    def update(self, size: int) -> str:
        """Count `size` more bytes. Return the estimate once, if the transfer takes long, else ""."""
        now = time.monotonic()
        if self._started is None:  # the first piece includes what the unit needs to begin
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
