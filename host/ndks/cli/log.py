# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Log of the packages on stderr: warnings, and everything with --verbose."""

import logging

from .output import note

_PACKAGES = ("ndks", "ndks_emulator")


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        warning = "WARNING: " if record.levelno >= logging.WARNING else ""
        note(warning + record.getMessage())


_NOTES = _Notes()


def show_log(*, verbose: bool) -> None:
    """Print the log from now on; a second call changes only the level."""
    for name in _PACKAGES:
        logger = logging.getLogger(name)
        logger.addHandler(_NOTES)  # has no effect the second time
        logger.setLevel(logging.DEBUG if verbose else logging.WARNING)
