# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Repair of unusable standard streams: closed, opened in the wrong direction, full, or without a reader."""

import contextlib
import io
import os
import sys
from typing import Any, TextIO

_STDIN, _STDOUT, _STDERR = range(3)


def prepare() -> None:
    """Set stdin and stdout to None if they are opened in the wrong direction; make stderr ignore errors."""
    if sys.stdin is sys.__stdin__ and _is_only(_STDIN, "O_WRONLY"):  # nohup opens stdin so
        sys.stdin = None
    if sys.stdout is sys.__stdout__ and _is_only(_STDOUT, "O_RDONLY"):
        sys.stdout = None
    if sys.stderr is sys.__stderr__:
        sys.stderr = _forgiving(sys.stderr)


class _Forgiving(io.RawIOBase):
    """A stream that drops data which it cannot write, so that no command fails because of its notes."""

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
    raw = getattr(buffer, "raw", buffer)  # unbuffered: Python fails at exit if it cannot flush a buffer
    encoding = stderr.encoding if stderr else "utf-8"
    stream: Any = _Forgiving(raw)  # TextIOWrapper needs less than its stub demands
    return io.TextIOWrapper(stream, encoding, "backslashreplace", line_buffering=True)


def _is_only(number: int, mode: str) -> bool:
    """Return whether a descriptor has this access mode (O_RDONLY or O_WRONLY)."""
    try:
        import fcntl  # not on Windows
    except ImportError:
        return False
    return fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == getattr(os, mode)
