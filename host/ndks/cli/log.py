# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Log of the packages on stderr: warnings, and everything with --verbose."""

import logging
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from ndks.exceptions import FileError, reason
from ndks.printable import printable

from .output import note

_PACKAGES = ("ndks", "ndks_emulator", "ndks_gateways")


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        warning = "WARNING: " if record.levelno >= logging.WARNING else ""
        note(warning + record.getMessage())


class _Lines(logging.Formatter):
    """Formats a record as one line, even if a file name in it has control characters."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


class _File(logging.FileHandler):
    """A log file of mode 0600. When it can no longer be written, it ends with one warning, and the command goes on."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        path.touch(0o600)  # the mode of a new file only
        file: Any = path.open(self.mode, encoding=self.encoding, errors=self.errors)
        return file

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's own name)
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif self.level < _NOTHING:
            self.setLevel(_NOTHING)
            note(f"WARNING: log file {self.baseFilename} ends here: {reason(error)}")


_NOTHING = logging.CRITICAL + 1
_NOTES = _Notes()
_FORM = _Lines("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")


def show_log(*, verbose: bool, file: Path | None = None) -> None:
    """Print the log from now on, and append all of it to a file; a second call changes only the level. FileError."""
    _NOTES.setLevel(logging.DEBUG if verbose else logging.WARNING)
    kept = [_handler_of(file)] if file else []
    for name in _PACKAGES:
        logger = logging.getLogger(name)
        for handler in (_NOTES, *kept):
            logger.addHandler(handler)  # has no effect the second time
        logger.setLevel(logging.DEBUG if verbose or file else logging.WARNING)


def show_news() -> None:
    """Print also what a service notes on its way."""
    _NOTES.setLevel(min(_NOTES.level, logging.INFO))
    for name in ("ndks.service", "ndks.agent", "ndks.carriers", "ndks_gateways"):
        logger = logging.getLogger(name)
        logger.setLevel(min(logger.getEffectiveLevel(), logging.INFO))


def _handler_of(file: Path) -> logging.Handler:
    try:
        handler = _File(file, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise FileError(f"log file {file} cannot be written: {reason(error)}") from None
    handler.setFormatter(_FORM)
    return handler
