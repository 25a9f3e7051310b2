# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Goals that the figures of a benchmark must reach."""

from collections.abc import Mapping
from typing import NamedTuple

from .pages import Verdict, verdict


class Goal(NamedTuple):
    """`figure` of `ours`, divided by that of `rival` if there is one, is at least or at most `bound`."""

    ours: str
    figure: str
    sign: str
    bound: float
    rival: str = ""

    def line(self, found: Mapping[str, Mapping[str, float]]) -> Verdict:
        """Return a line, and whether the goal is reached; None if it was not measured."""
        whose = f" / {self.rival}'s" if self.rival else ""
        what = f"{self.ours}: {self.figure}{whose} {self.sign} {self.bound:g}"
        value = found.get(self.ours, {}).get(self.figure)
        if value is not None and self.rival:
            other = found.get(self.rival, {}).get(self.figure)
            value = None if not other else value / other
        return verdict(what, value, self.sign, self.bound)
