# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Numba, typed; and several threads for what it has compiled."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numba  # pyright: ignore[reportMissingTypeStubs]

Function = TypeVar("Function", bound=Callable[..., Any])
Job = TypeVar("Job")
Result = TypeVar("Result")

# The sum of products may be contracted, which only makes it more exact; nothing else may change.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


def compiled(function: Function) -> Function:
    """Compile at the first call, and cache the code for the next process where there is a place for it."""
    jit: Any = numba.njit  # pyright: ignore[reportUnknownMemberType]
    try:
        return jit(function, cache=True, **_OPTIONS)
    except RuntimeError:  # "no locator available": neither the package nor the user's cache can be written to
        return jit(function, **_OPTIONS)


def on_all_cores(
    work: Callable[[Job], Result], jobs: Iterable[Job], check_time: Callable[[], None]
) -> Iterator[Result]:
    """Yield the results of the jobs in order; OutOfTime is raised between two of them."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[Any] = []
        try:
            for job in jobs:
                waiting.append(pool.submit(work, job))
                if len(waiting) > workers:
                    yield waiting.pop(0).result()
                    check_time()
            while waiting:
                yield waiting.pop(0).result()
                check_time()
        finally:
            for future in waiting:
                future.cancel()
