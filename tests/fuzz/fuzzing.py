# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the fuzzed tests share. They are tests of Hypothesis, of which atheris makes the inputs in `make fuzz`."""

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
    """Bytes with some added, changed or left out."""
    edits = st.lists(st.tuples(place, st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=4)
    return st.builds(_edited, originals, edits)


def _edited(data: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    for where, removed, added in edits:
        start = where % (len(data) + 1)
        data = data[:start] + added + data[start + removed :]
    return data


@contextlib.contextmanager
def bounded(draw: Draw, most: int) -> Iterator[None]:
    """AssertionError when what is done here takes more than so many bytes of memory; looked at in one of 16 runs."""
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
    """Leave what there is already out of what the unit does when a session ends: collect garbage. A fixture."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
