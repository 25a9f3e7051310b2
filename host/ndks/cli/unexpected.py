# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is said of an exception that nobody has foreseen: a mistake in this program."""

import platform
import sys
import traceback
from pathlib import PurePath
from types import TracebackType

import ndks

from .output import Output

CODE = "UNEXPECTED"  # none of the unit's
_FAILED = 1  # exit status
_CHAIN = 10  # exceptions behind an exception


def report_unexpected(error: Exception, out: Output, *, verbose: bool) -> int:
    """Report of what kind it is and where: its text is never shown, for it may quote a secret."""
    if verbose:
        sys.stderr.write("".join(_traceback(error)))
    system = f"ndks {ndks.__version__}, Python {platform.python_version()}, {sys.platform}"
    what = f"a mistake in ndks: {type(error).__qualname__} at {_place(error.__traceback__)} ({system})"
    more = "" if verbose else " (with --verbose it says more)"
    return out.failed(
        CODE, what, f"report it: open an issue where ndks is from, with this line and the command{more}", 1
    )


def _place(at: TracebackType | None) -> str:
    """Return where an exception was raised, and where in this program, if that is elsewhere."""
    places: list[str] = []
    ours: list[str] = []
    for frame, line in traceback.walk_tb(at):
        places.append(f"{'/'.join(PurePath(frame.f_code.co_filename).parts[-2:])}:{line}")
        if str(frame.f_globals.get("__name__")).startswith("ndks"):
            ours.append(places[-1])
    return ", called from ".join(dict.fromkeys([*places[-1:], *ours[-1:]]))


def _traceback(error: BaseException) -> list[str]:
    """Return the traceback, that of what came before it first, without the exceptions' texts."""
    lines: list[str] = []
    shown: BaseException | None = error
    for _ in range(_CHAIN):
        if shown is None:
            break
        lines[:0] = [*traceback.format_tb(shown.__traceback__), f"{type(shown).__qualname__}\n"]
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)
    return lines
