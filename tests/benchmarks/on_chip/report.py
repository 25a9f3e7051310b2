# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the bench has found, as text for docs/speed.md and as JSON."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from marked_tables import table

from .figures import Figures
from .rows import ROWS


@dataclass(frozen=True)
class Version:
    """A version of the firmware and its figures."""

    name: str
    commit: str
    figures: Figures


@dataclass(frozen=True)
class Report:
    date: datetime.date
    image: str  # what CircuitPython says of itself
    versions: tuple[Version, ...]

    def as_json(self) -> str:
        return json.dumps(asdict(self), default=str, indent=2)

    def as_text(self) -> str:
        """Return a table of the rows that any version has figures for, and say which rows are missing."""
        heads = ("", "target", *(f"{each.name} ({each.commit})" for each in self.versions))
        cells = {row: [row.cell(each.figures) for each in self.versions] for row in ROWS}
        shown = [(row.what, row.aim, *found) for row, found in cells.items() if any(found)]
        missing = [row.what for row, found in cells.items() if not any(found)]
        note = f"\nLeft out, because the image has no .elf file beside it: {'; '.join(missing)}.\n" if missing else ""
        return f"Run on {self.date} with {self.image}.\n\n{table(heads, shown)}{note}"


class Stage(NamedTuple):
    """A unit after so many requests of a long run. Sizes in bytes; errors by their codes."""

    requests: int
    free: int
    largest: int
    holes: int
    errors: str


def soak_text(stages: Sequence[Stage]) -> str:
    heads = ("requests", "free", "largest block", "holes", "refused or failed")
    return table(heads, [tuple(map(str, stage)) for stage in stages])
