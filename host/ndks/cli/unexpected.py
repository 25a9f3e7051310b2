# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Report of an unexpected exception, which is a bug in this program."""

import platform
import sys
import traceback
from pathlib import PurePath
from types import TracebackType

import ndks

from .exit_statuses import FAILED
from .output import Output

CODE = "UNEXPECTED"  # not a code of the unit
_CHAIN = 10  # exceptions shown of a chain


def report_unexpected(error: Exception, out: Output, *, verbose: bool) -> int:
    """Print the type and place of an exception, but not its text, which may quote a secret."""
    if verbose:
        sys.stderr.write("".join(_traceback(error)))
    system = f"ndks {ndks.__version__}, Python {platform.python_version()}, {sys.platform}"
    what = f"a bug in ndks: {type(error).__qualname__} at {_place(error.__traceback__)} ({system})"
    more = "" if verbose else " (--verbose adds a traceback)"
    return out.failed(
        CODE, what, f"report it in an issue of the ndks project, with this line and the command{more}", FAILED
    )


def _place(at: TracebackType | None) -> str:
    """Return the place where an exception was raised, and the last place in this program."""
    places: list[str] = []
    ours: list[str] = []
    for frame, line in traceback.walk_tb(at):
        places.append(f"{'/'.join(PurePath(frame.f_code.co_filename).parts[-2:])}:{line}")
        if str(frame.f_globals.get("__name__")).startswith("ndks"):
            ours.append(places[-1])
    return ", called from ".join(dict.fromkeys([*places[-1:], *ours[-1:]]))


def _traceback(error: BaseException) -> list[str]:
    """Return the tracebacks of a chain of exceptions, the first cause first, without the exceptions' texts."""
    lines: list[str] = []
    shown: BaseException | None = error
    for _ in range(_CHAIN):
        if shown is None:
            break
        lines[:0] = [*traceback.format_tb(shown.__traceback__), f"{type(shown).__qualname__}\n"]
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)
    return lines
