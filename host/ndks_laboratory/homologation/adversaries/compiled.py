# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Typed wrappers of Numba, and a thread pool for compiled functions."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numba  # pyright: ignore[reportMissingTypeStubs]

Function = TypeVar("Function", bound=Callable[..., Any])
Job = TypeVar("Job")
Result = TypeVar("Result")

# Sums of products may be contracted, which only reduces rounding; no other optimisation may change results.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


def compiled(function: Function) -> Function:
    """Compile a function at its first call, and cache the code if a cache directory is writable."""
    jit: Any = numba.njit  # pyright: ignore[reportUnknownMemberType]
    try:
        return jit(function, cache=True, **_OPTIONS)
    except RuntimeError:  # "no locator available": neither the package nor the user's cache is writable
        return jit(function, **_OPTIONS)


def on_all_cores(
    work: Callable[[Job], Result], jobs: Iterable[Job], check_time: Callable[[], None]
) -> Iterator[Result]:
    """Yield the results of jobs in order; OutOfTime may be raised between two of them."""
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
