# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Runner for the checks of a file of cases, for MicroPython, and for CPython as a comparison."""

import gc
import json
import sys

# By default MicroPython collects garbage only when the heap is full, which fragments it. Objects of 64 bits are twice
# as large as a board's, and no contiguous kilobyte would be left between them.
if hasattr(gc, "threshold"):
    gc.threshold(16384)


def run(checks: dict) -> None:
    """Pass each line ["group", case] of the file in the first argument to the check of its group, in order."""
    counts = {}
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 (MicroPython has no pathlib)
        # One case at a time: all of frames.json would need half of the heap.
        for line in file:
            group, case = json.loads(line)
            checks[group](case)
            counts[group] = counts.get(group, 0) + 1
    for group, count in counts.items():
        report(group, count)


def report(name: str, number: int) -> None:
    print("ok", name, number)


def expect(got, expected) -> None:
    if got != expected:
        raise AssertionError(f"got {got!r}, expected {expected!r}")


def expect_value_error(function, *arguments) -> None:
    try:
        got = function(*arguments)
    except ValueError:
        return
    raise AssertionError(f"got {got!r}, expected ValueError")
