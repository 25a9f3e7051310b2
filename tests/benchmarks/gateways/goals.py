# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The figures as a table, and the goals that they must reach."""

from collections.abc import Mapping

from benchmarks.goals import Goal
from benchmarks.pages import Verdict

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


GOALS = (
    Goal(OURS, "MB/s", ">=", 4, "spiped"),
    Goal(OURS, "CPU s/GB", "<=", 0.333, "spiped"),
    Goal(OURS, "MB/s", ">=", 0.9, "stunnel"),
    Goal(OURS, "CPU s/GB", "<=", 1.0, "stunnel"),
    Goal(OURS, "first byte ms", "<=", 0.7, "stunnel"),
    Goal(OURS, "failed", "<=", 0),
    Goal(OURS, "full p50", "<=", 5),
    Goal(OURS, "stalled p50", "<=", 5),
    Goal(SLOW, "first byte ms", "<=", 1.1, OURS),
    Goal(OURS, "stranger ms", "<=", 1),
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
