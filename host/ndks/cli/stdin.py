# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Input from stdin, with an error for each unusable stdin."""

import os
import select
import sys
from collections.abc import Callable

from ndks.exceptions import FileError, reason
from ndks.files import read_some

_MUCH = 1 << 16  # bytes of a text: 24 words have about 200


class StdinSource:
    """A source that reads from stdin. FileError."""

    def __init__(self) -> None:
        if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] closed by the shell: <&-
            raise FileError("stdin is closed, or not open for reading", "name a file")

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and b"" only at the end."""
        return _read(lambda: read_some(sys.stdin.buffer, size))


def is_terminal() -> bool:
    """Return whether stdin is a terminal, so that the user can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()  # pyright: ignore[reportUnnecessaryComparison]


def read_all() -> str:
    """Return all of a short text. FileError."""
    source, text = StdinSource(), b""
    while len(text) < _MUCH and (more := source.read(_MUCH)):
        text += more
    if len(text) >= _MUCH:
        raise FileError("the input from stdin is too long", "give only the words")
    return text.decode(errors="replace")


def read_line() -> str:
    """Return a line typed at the terminal, or "" at the end of input. FileError."""
    if os.name == "posix" and not os.get_blocking(sys.stdin.fileno()):
        select.select([sys.stdin], [], [])  # another program may have set the terminal to non-blocking
    return _read(sys.stdin.buffer.readline).decode(errors="replace")


def _read(read: Callable[[], bytes | None]) -> bytes:
    try:
        data = read()
    except OSError as error:
        raise FileError(f"stdin cannot be read: {reason(error)}", "name a file, or use another stdin") from None
    if data is None:
        raise FileError("stdin is non-blocking and has no data yet", "name a file, or pipe it through cat")
    return data
