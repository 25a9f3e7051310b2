# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""TLS handshakes of clients that fail: counted by reason, and noted in the log, at most one line a minute.

The reasons are OpenSSL's own words, or ours; nothing in them comes from the client.
"""

import asyncio
import logging
import ssl
from collections import Counter

_log = logging.getLogger(__name__)

_MINUTE = 60.0
_MOST_TOLD = 5  # reasons in a line


class Handshakes:
    """Adds each failed handshake to `failed`, by its reason."""

    def __init__(self, failed: Counter[str]) -> None:
        self._failed = failed
        self._untold: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def fail(self, error: OSError) -> None:
        """Count a handshake that failed with this error, and tell of it soon."""
        reason = _reason(error)
        self._failed[reason] += 1
        self._untold[reason] += 1
        if not self._timer:
            self._tell_on()

    def close(self) -> None:
        """Tell what was not told yet."""
        if self._timer:
            self._timer.cancel()
            self._tell()

    def _tell_on(self) -> None:
        """Tell, and look again a minute later, until a minute brings none."""
        self._timer = asyncio.get_running_loop().call_later(_MINUTE, self._tell_on) if self._untold else None
        self._tell()

    def _tell(self) -> None:
        if self._untold:
            reasons = ", ".join(f"{reason}: {count}" for reason, count in self._untold.most_common(_MOST_TOLD))
            _log.warning("TLS handshakes of clients that failed: %d (%s)", self._untold.total(), reasons)
        self._untold.clear()


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or type(error).__name__).replace("_", " ").lower()
    return "took too long" if isinstance(error, ConnectionAbortedError) else "connection lost"
