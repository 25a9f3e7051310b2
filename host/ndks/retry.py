# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The one way in which the host tries again."""

import time
from collections.abc import Callable
from typing import TypeVar

from . import times

_T = TypeVar("_T")


def retry(attempt: Callable[[], _T], passes: Callable[[Exception], bool], longest: float) -> _T:
    """Return what `attempt` returns; make it again while it raises what `passes` by itself.

    After `longest` seconds it is made no more, and what it has raised is raised.
    """
    deadline = time.monotonic() + longest
    while True:
        try:
            return attempt()
        except Exception as error:
            if not passes(error) or time.monotonic() > deadline:
                raise
        time.sleep(times.RETRY_PAUSE)
