# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The core against that of rp2040py, one random instruction at a time."""

import random
from collections import Counter

import pytest
from emulated_chip.known_differences import DIFFERENCES, Difference
from emulated_chip.random_instructions import State, random_state
from emulated_chip.two_cores import Ours, Result, Theirs

TRIALS, PARTS = 100_000, 4


def difference_of(state: State) -> Difference | None:
    return next((difference for difference in DIFFERENCES if difference.applies(state)), None)


@pytest.mark.parametrize("part", range(PARTS))
def test_random_instructions(part: int) -> None:
    ours, theirs, rng = Ours(), Theirs(), random.Random(part)
    met: Counter[str] = Counter()
    for _ in range(TRIALS // PARTS):
        state = random_state(rng)
        result, expected = ours.execute(state), theirs.execute(state)
        if difference := difference_of(state):
            met[difference.name] += 1
            expected = difference.expected(state, expected)
        if result.registers[15] == 0x20000100 and ours.has_faulted:
            expected = _as_faulted(expected, result)
        assert not _differing(result, expected), f"{state.op:04x} {state.second:04x} of {state}"
    assert set(met) == {difference.name for difference in DIFFERENCES}


def _differing(result: Result, expected: Result) -> dict[str, tuple[object, object]]:
    pairs = zip(Result._fields, result, expected, strict=True)
    return {name: (ours, theirs) for name, ours, theirs in pairs if ours != theirs}


def _as_faulted(expected: Result, result: Result) -> Result:
    """A fault's return address is that of its instruction; what it costs is not compared."""
    return expected._replace(registers=(*expected.registers[:15], result.registers[15]), cycles=result.cycles)
