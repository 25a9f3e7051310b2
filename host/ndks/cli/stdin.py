# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What comes through stdin, and what is wrong with a stdin through which nothing can come."""

import os
import select
import sys
from collections.abc import Callable

from ndks.exceptions import FileError, reason

_MUCH = 1 << 16  # bytes of a text: 24 words have some 200


class StdinSource:
    """stdin as something to read bytes from. FileError."""

    def __init__(self) -> None:
        if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] closed by the shell: <&-
            raise FileError("stdin is closed, or not open for reading", "name a file")

    def read(self, size: int, /) -> bytes:
        """Return so many bytes or fewer, none at the end only."""
        return _read(lambda: sys.stdin.buffer.read(size))


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()  # pyright: ignore[reportUnnecessaryComparison]


def read_all() -> str:
    """Return a short text, all that comes. FileError."""
    source, text = StdinSource(), b""
    while len(text) < _MUCH and (more := source.read(_MUCH)):
        text += more
    if len(text) >= _MUCH:
        raise FileError("what comes through stdin is far too long", "give the words, and nothing else")
    return text.decode(errors="replace")


def read_line() -> str:
    """Return what is typed at the terminal up to Enter, "" at its end. FileError."""
    if os.name == "posix" and not os.get_blocking(sys.stdin.fileno()):
        select.select([sys.stdin], [], [])  # another program may have left the terminal so
    return _read(sys.stdin.buffer.readline).decode(errors="replace")


def _read(read: Callable[[], bytes | None]) -> bytes:
    try:
        data = read()
    except OSError as error:
        raise FileError(f"stdin cannot be read: {reason(error)}", "name a file, or give another stdin") from None
    if data is None:
        raise FileError("stdin is non-blocking, and has nothing yet", "name a file, or pipe it through cat")
    return data
