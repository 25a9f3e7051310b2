# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Signals that ask a command to end: it does so as after an error, and removes its temporary files on the way out."""

import signal
from types import FrameType

_ENDING = [signal.SIGTERM]
if hasattr(signal, "SIGHUP"):  # not on Windows
    _ENDING.append(signal.SIGHUP)


def end_on_signals() -> None:
    """Raise SystemExit(128 + number) when one comes."""
    for number in _ENDING:
        is_nohup = number != signal.SIGTERM and signal.getsignal(number) is signal.SIG_IGN
        if not is_nohup:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)  # a closed terminal sends more than one; the way out is gone once
    raise SystemExit(128 + number)
