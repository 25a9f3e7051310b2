# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What holds of every input, whatever is fuzzed: it takes no more memory than it may."""

import contextlib
import gc
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

_SAMPLES = 16  # one input of so many is measured in `make fuzz`: tracing all would make it several times as slow


def bounded(run: Callable[[bytes], None], data: bytes, most: int) -> None:
    """Run an input; AssertionError when it takes more than `most` bytes of memory, and some for each of its own."""
    allowed = most + 64 * len(data)
    if _peak(run, data) > allowed:
        peak = _peak(run, data)  # once more: the first may have filled caches
        assert peak <= allowed, f"{peak} bytes of memory for an input of {len(data)}"


def sampled(run: Callable[[bytes], None], data: bytes, most: int) -> None:
    """Do the same, with the memory of some inputs alone; which, they say themselves."""
    if zlib.crc32(data) % _SAMPLES:
        run(data)
    else:
        bounded(run, data, most)


def _peak(run: Callable[[bytes], None], data: bytes) -> int:
    tracemalloc.start()
    try:
        run(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@contextlib.contextmanager
def quick_collections() -> Iterator[None]:
    """Leave what there is already out of what the unit does when a session ends: collect garbage."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
