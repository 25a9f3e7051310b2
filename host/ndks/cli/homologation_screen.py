# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a homologation shows in a terminal: its steps, then its requirements, attacks and verdict."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .output import note
from .progress import Bar


class Bars:
    """A progress bar for each step on stderr, or a line if that is not a terminal."""

    def __init__(self, *, visible: bool) -> None:
        self._visible = visible
        self._bar: Bar | None = None

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def begin(self, what: str, total: int) -> Callable[[int], object]:
        self.__exit__()
        if not sys.stderr.isatty():
            if self._visible:
                note(what)
            return lambda _: None
        self._bar = Bar(total=total, desc=what, unit_scale=True, leave=True, file=sys.stderr)
        return self._bar.update


def screen(report: dict[str, Any], page: Path) -> list[str]:
    rows = [f"{row['verdict']:10}  {row['id']:4} {row['text']}" for row in report["requirements"]]
    attacks = [
        f"{_outcome(finding):10}  {finding['label']:4} {finding['adversary']} ({_time(finding['seconds'])})"
        for finding in report["targets"][0]["findings"]
    ]
    controls = [
        f"{'expected' if target['as_expected'] else 'UNEXPECTED':10}  {target['name']}, which {target['role']}"
        for target in report["targets"][1:]
    ]
    reasons = [f"  {reason}" for reason in report["reasons"]]
    return [*rows, "", *attacks, "", *controls, "", f"report: {page}", f"verdict: {report['verdict']}", *reasons]


def _time(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 3600 else f"{seconds / 3600:.3g} h"


def _outcome(finding: dict[str, Any]) -> str:
    return {True: "BROKEN", False: "withstood", None: "not shown"}[finding["succeeded"]]
