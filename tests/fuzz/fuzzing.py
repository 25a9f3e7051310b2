# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Helpers of the fuzz tests. These are Hypothesis tests; in `make fuzz` atheris makes their inputs."""

import contextlib
import gc
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
FUZZED = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
_SAMPLED = st.sampled_from([False] * 15 + [True])  # tracing all inputs would make them several times as slow

byte = st.integers(0, 255)
flag = st.booleans()
place = st.integers(0, 4096)


def altered(originals: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Draw bytes with some of them inserted, changed or removed."""
    edits = st.lists(st.tuples(place, st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=4)
    return st.builds(_edited, originals, edits)


def _edited(data: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    for where, removed, added in edits:
        start = where % (len(data) + 1)
        data = data[:start] + added + data[start + removed :]
    return data


@contextlib.contextmanager
def bounded(draw: Draw, most: int) -> Iterator[None]:
    """Check that the block uses at most `most` bytes of memory, in one of 16 runs. Raises AssertionError."""
    if not draw(_SAMPLED):
        yield
        return
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= most, f"{peak} bytes of memory"


def quick_collections() -> Iterator[None]:
    """A fixture: exclude existing objects from the garbage collection that a unit does at the end of a session."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
