# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The exported keys of programs that agree on an index by themselves: lane 0, n = 2^47 + lane 2^31 + run.

Those of lane 0 here belong to all members: run 0 makes doors of tunnels, run 1 ids of keys, run 2 named keys. Those
of another lane belong to its unit, which takes a number of its own for each run: nobody else ever takes it.
"""

_FIRST = 1 << 47
_RUNS = 1 << 31
_LANES = 1 << 16

IDS = _FIRST + 1
NAMED = _FIRST + 2


def run_of(number: int) -> int:
    """Return the run that an own number stands for."""
    return number % _RUNS


def index_of(lane: int, run: int) -> int:
    """Return n of a run of a unit. ValueError: there is none."""
    if not (1 <= lane < _LANES and 0 <= run < _RUNS):
        raise ValueError("no lane, or no run")
    return _FIRST + lane * _RUNS + run
