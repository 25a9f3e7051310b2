# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""stdin, stdout and stderr as the world hands them over: closed, open the wrong way, full, with nobody at the end."""

import contextlib
import io
import os
import sys
from typing import Any, TextIO

_STDIN, _STDOUT, _STDERR = range(3)


def prepare() -> None:
    """Let stdin and stdout be None where they are open the wrong way too, not only closed; stderr takes everything."""
    if sys.stdin is sys.__stdin__ and _is_only(_STDIN, "O_WRONLY"):  # as nohup does it
        sys.stdin = None
    if sys.stdout is sys.__stdout__ and _is_only(_STDOUT, "O_RDONLY"):
        sys.stdout = None
    if sys.stderr is sys.__stderr__:
        sys.stderr = _forgiving(sys.stderr)


class _Forgiving(io.RawIOBase):
    """Drops what cannot be written: no command fails for want of somebody who reads its notes."""

    def __init__(self, raw: Any) -> None:
        super().__init__()
        self._raw = raw

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._raw.isatty()

    def fileno(self) -> int:
        return self._raw.fileno()

    def write(self, data: Any, /) -> int:
        view = memoryview(data)
        with contextlib.suppress(OSError, ValueError):  # full, hung up, closed
            while view and (taken := self._raw.write(view)):
                view = view[taken:]
        return len(data)


def _forgiving(stderr: TextIO | None) -> TextIO:
    buffer: Any = stderr.buffer if stderr else io.FileIO(_STDERR, "w", closefd=False)
    raw = getattr(buffer, "raw", buffer)  # without a buffer: Python would fail at its end to write what is left in it
    encoding = stderr.encoding if stderr else "utf-8"
    stream: Any = _Forgiving(raw)  # TextIOWrapper asks for less than its stub
    return io.TextIOWrapper(stream, encoding, "backslashreplace", line_buffering=True)


def _is_only(number: int, mode: str) -> bool:
    """Whether a descriptor is open for reading only, or for writing only."""
    try:
        import fcntl  # not on Windows
    except ImportError:
        return False
    return fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == getattr(os, mode)
