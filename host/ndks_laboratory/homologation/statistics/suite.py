# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The suite of all statistics."""

from collections.abc import Callable, Iterator

from ..attack import Bits
from .attributes import longest_run, monobit, repeated_words, runs, serial
from .correlation import all_lags
from .result import Statistic
from .spectral import frequencies

_STATISTICS: dict[str, Callable[[Bits], Statistic]] = {
    "monobit": monobit,
    "runs": runs,
    "longest run": longest_run,
    "serial": serial,
    "autocorrelation": all_lags,
    "spectral": frequencies,
    "repeated words": repeated_words,
}
NAMES = tuple(_STATISTICS)


def all_statistics(bits: Bits) -> Iterator[Statistic]:
    """Yield each statistic when it is computed, corrected for its own tests only."""
    for statistic in _STATISTICS.values():
        yield statistic(bits)
