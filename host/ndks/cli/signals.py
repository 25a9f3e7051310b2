# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers of signals: the first one ends a command as an error does, which removes its temporary files."""

import signal
from collections.abc import Callable
from types import FrameType

_ENDING = [signal.SIGINT, signal.SIGTERM]
if hasattr(signal, "SIGHUP"):  # not on Windows
    _ENDING.append(signal.SIGHUP)


def end_on_signals() -> None:
    """Make SIGTERM and SIGHUP raise SystemExit(128 + number), and SIGINT KeyboardInterrupt."""
    for number in _ENDING:
        is_nohup = number != signal.SIGTERM and signal.getsignal(number) is signal.SIG_IGN
        if not is_nohup:
            signal.signal(number, _end)


def end_by(end: Callable[[], object]) -> None:
    """Make these signals call `end`, after which the command ends by itself."""
    for number in _ENDING:
        signal.signal(number, lambda _number, _frame: end())


def _end(number: int, _frame: FrameType | None) -> None:
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)  # a closed terminal sends several, and people press Ctrl-C twice
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)
