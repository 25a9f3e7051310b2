# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Symbols that arrive at stdin in time."""

import argparse
import os
import queue
import select
import sys
import threading
import time
from collections.abc import Iterator

from ndks.exceptions import FileError, reason
from ndks.symbols.live import LiveLine
from ndks.symbols.symbols import Symbols

from .arguments import duration, need
from .stdin import StdinSource

_USUAL = "100ms"
_PART = 1 << 12  # bytes that are read at once
_MOST = 256  # parts that wait while a unit seals
_SECOND = 10**9  # nanoseconds

_Arrival = tuple[int, bytes] | FileError  # how long it was waited for, and what came; b"" at the end


def add_live(parser: argparse.ArgumentParser, text: str) -> None:
    """Add --live and --tick."""
    parser.add_argument("--live", action="store_true", help=text)
    parser.add_argument(
        "--tick",
        metavar="TIME",
        type=duration,
        help=f"with --live: how long a pause is one nothing (default: {_USUAL})",
    )


def check_live(args: argparse.Namespace) -> None:
    need(args.live or args.tick is None, "--tick needs --live", "omit it: in a text each . is one nothing")


class LiveInput:
    """What arrives at stdin from now on, also while the unit is being opened or seals: that time is not a pause."""

    def __init__(self, args: argparse.Namespace) -> None:
        StdinSource()  # FileError if it is closed
        self._tick: int = args.tick or duration(_USUAL)
        self._arrivals: queue.Queue[_Arrival] = queue.Queue(_MOST)
        threading.Thread(target=_read, args=(sys.stdin.fileno(), self._arrivals), daemon=True).start()

    def messages(self) -> Iterator[Symbols]:
        """Yield each message as soon as it is complete, until stdin ends. OddSymbol, SymbolsTooLong, FileError."""
        line = LiveLine(self._tick)
        while True:
            try:
                arrival = self._arrivals.get(timeout=self._tick / _SECOND if line.has_stretch else None)
            except queue.Empty:
                yield from line.end_stretch()
                continue
            if isinstance(arrival, FileError):
                raise arrival
            if not arrival[1]:
                yield from line.finish()
                return
            yield from line.take(*arrival)


def _read(stdin: int, arrivals: "queue.Queue[_Arrival]") -> None:
    """Read to the end."""
    data = b"-"
    while data:
        begun = time.monotonic_ns()
        try:
            if os.name == "posix":
                select.select([stdin], [], [])  # it may be non-blocking
            data = os.read(stdin, _PART)
        except OSError as error:
            arrivals.put(FileError(f"stdin cannot be read: {reason(error)}", "use another stdin"))
            return
        arrivals.put((time.monotonic_ns() - begun, data))
