# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What `make fuzz` runs for minutes, for seconds: real inputs, and what Hypothesis makes of them."""

import functools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.invariants import quick_collections, sampled
from fuzz.targets import NAMES, target

_SEEDS = 120  # of each target; `make fuzz` takes all
_EXAMPLES = 100

edits = st.lists(st.tuples(st.integers(0, 4096), st.integers(0, 8), st.binary(max_size=8)), max_size=6)


@functools.cache
def seeds(name: str) -> list[bytes]:
    every = list(target(name).seeds())
    return every[:: max(1, len(every) // _SEEDS)]


@st.composite
def inputs(draw: st.DrawFn, name: str) -> bytes:
    """Real inputs with some bytes added, altered or left out, one after another."""
    parts = draw(st.lists(st.sampled_from(seeds(name)) | st.binary(max_size=64), min_size=1, max_size=2))
    data = bytearray(b"".join(parts))
    for place, removed, added in draw(edits):
        start = place % (len(data) + 1)
        data[start : start + removed] = added
    return bytes(data[: target(name).LARGEST_INPUT])


@pytest.mark.parametrize("name", NAMES)
def test_real_inputs(name: str) -> None:
    with quick_collections():
        for data in seeds(name):
            sampled(target(name).run, data, target(name).MOST_MEMORY)


@pytest.mark.parametrize("name", NAMES)
def test_altered_inputs(name: str) -> None:
    @settings(max_examples=_EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(inputs(name))
    def check(data: bytes) -> None:
        sampled(target(name).run, data, target(name).MOST_MEMORY)

    with quick_collections():
        check()
