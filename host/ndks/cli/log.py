# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the packages log, as notes on stderr: warnings always, all of it with --verbose."""

import logging

from .output import note

_PACKAGES = ("ndks", "ndks_emulator")


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        warning = "WARNING: " if record.levelno >= logging.WARNING else ""
        note(warning + record.getMessage())


_NOTES = _Notes()


def show_log(*, verbose: bool) -> None:
    """Show it from now on; once more changes only how much."""
    for name in _PACKAGES:
        logger = logging.getLogger(name)
        logger.addHandler(_NOTES)  # which is there once, however often it is added
        logger.setLevel(logging.DEBUG if verbose else logging.WARNING)
