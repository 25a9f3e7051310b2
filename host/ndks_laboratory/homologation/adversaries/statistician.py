# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Statistical tests of a long key against fair bits."""

from ndks_laboratory.outcome import Outcome

from ..attack import LONG_KEY, Adversary, Finding, Oracle, Seen
from ..statistics import Statistic
from ..statistics.result import corrected
from ..statistics.suite import all_statistics

_MOST = 1 << 24  # bits, to bound memory
_SUCCESS = 1e-9  # an adversary claims success below this p-value; `verdict.decide` applies the final threshold


class Statistician(Adversary):
    """Runs all statistics on the beginning of a long key."""

    name = "statistics"
    label = "S"
    needs = frozenset({LONG_KEY})

    def run(self, seen: Seen, oracle: Oracle) -> Finding:
        """Run all tests; the p-value covers all of them. The oracle is not used."""
        del oracle
        found: list[Statistic] = []
        for statistic in all_statistics(seen.long_key[:_MOST]):
            found.append(statistic)
            seen.check_time()
        best = min(found, key=lambda statistic: statistic.log10_p)
        log10_p = corrected(best.log10_p, len(found))
        p_value = 10.0**log10_p
        tests = sum(statistic.tests for statistic in found)
        return Finding(
            self.name,
            Outcome.of(p_value >= _SUCCESS, _summary(best, log10_p, tests, min(len(seen.long_key), _MOST))),
            p_value=p_value,
            tests=tests,
            details={
                "bits": min(len(seen.long_key), _MOST),
                "key index": seen.long_key_index,
                "log10_p": round(log10_p, 3),
                "statistics": [statistic.row() for statistic in found],
            },
        )


def _summary(best: Statistic, log10_p: float, tests: int, bits: int) -> str:
    test = best.worst
    value = "" if test.sigmas is None else f", {abs(test.sigmas):.1f} sigma"
    where = f" at {test.where}" if test.where else ""
    return f"{tests} tests of {bits} bits; furthest from fair bits: {best.name}{where}{value}; log10 p {log10_p:.1f}"
