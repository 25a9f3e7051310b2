# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Retries with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

from . import times

_T = TypeVar("_T")


def retry(attempt: Callable[[], _T], is_transient: Callable[[Exception], bool], longest: float) -> _T:
    """Call `attempt` until it succeeds and return its result.

    Repeat it only after exceptions for which `is_transient` is true, and for at most `longest` seconds.
    """
    deadline = time.monotonic() + longest
    while True:
        try:
            return attempt()
        except Exception as error:
            if not is_transient(error) or time.monotonic() > deadline:
                raise
        time.sleep(times.RETRY_PAUSE)
