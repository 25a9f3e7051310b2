# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The figures as a table, and the goals that they must reach."""

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.pages import Verdict, verdict

from .measures import AT_ONCE, Figures

OURS, SLOW = "ndks", "ndks, slow unit"
COLUMNS = {  # figure: digits after the point
    "MB/s": 0,
    "CPU s/GB": 2,
    "first byte ms": 2,
    "failed": 0,
    "full p50": 2,
    "full p99": 1,
    "stalled p50": 2,
    "stalled p99": 1,
    "stranger ms": 2,
    "link up ms": 0,
    "resumed ms": 1,
}
_HEADS = {
    "failed": f"of {AT_ONCE} at once failed",
    "full p50": "round trip beside a full stream, ms: p50",
    "full p99": "p99",
    "stalled p50": "beside a stalled one: p50",
    "stalled p99": "p99",
    "stranger ms": "a stranger, ms CPU",
    "link up ms": "new link, ms: full",
    "resumed ms": "resumed",
}


class Goal(NamedTuple):
    """`figure` of ours, divided by that of `rival` if there is one, is at least or at most `bound`."""

    figure: str
    rival: str
    sign: str
    bound: float
    ours: str = OURS

    def line(self, found: Mapping[str, Figures]) -> Verdict:
        """Return a line, and whether the goal is reached; None if it was not measured."""
        whose = f" / {self.rival}'s" if self.rival else ""
        what = f"{self.ours}: {self.figure}{whose} {self.sign} {self.bound:g}"
        value = found.get(self.ours, {}).get(self.figure)
        if value is not None and self.rival:
            other = found.get(self.rival, {}).get(self.figure)
            value = None if not other else value / other
        return verdict(what, value, self.sign, self.bound)


GOALS = (
    Goal("MB/s", "spiped", ">=", 4),
    Goal("CPU s/GB", "spiped", "<=", 0.333),
    Goal("MB/s", "stunnel", ">=", 0.9),
    Goal("CPU s/GB", "stunnel", "<=", 1.0),
    Goal("first byte ms", "stunnel", "<=", 0.7),
    Goal("failed", "", "<=", 0),
    Goal("full p50", "", "<=", 5),
    Goal("stalled p50", "", "<=", 5),
    Goal("first byte ms", OURS, "<=", 1.1, SLOW),
    Goal("stranger ms", "", "<=", 1),
)


def table(found: Mapping[str, Figures]) -> str:
    """Return the figures as a table of Markdown."""
    heads = ["", *(_HEADS.get(figure, figure) for figure in COLUMNS)]
    rows = [
        [
            name,
            *(
                "" if (value := figures.get(each)) is None else f"{value:.{digits}f}"
                for each, digits in COLUMNS.items()
            ),
        ]
        for name, figures in found.items()
    ]
    lines = [heads, ["---", *["---:"] * len(COLUMNS)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def verdicts(found: Mapping[str, Figures]) -> list[Verdict]:
    return [goal.line(found) for goal in GOALS]
