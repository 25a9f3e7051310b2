# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a benchmark says of its goals, and where it writes what it has found."""

import json
import operator
import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

Verdict = tuple[str, bool | None]  # a line, and whether the goal is reached; None: it was not measured

SPEED = Path(__file__).parents[2] / "docs" / "speed.md"


def write_into(page: Path, name: str, text: str) -> None:
    """Put the text between the lines `<!-- NAME -->` and `<!-- end -->` of a page. ValueError if it has none."""
    marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    written, count = marked.subn(lambda found: f"{found[1]}{text}{found[2]}", page.read_text("utf-8"))
    if count != 1:
        raise ValueError(f"{page} has no place for {name}")
    page.write_text(written, "utf-8")


def verdict(what: str, value: float | None, sign: str, bound: float) -> Verdict:
    """Return what is said of a goal: that a value is at least or at most a bound."""
    if value is None:
        return f"{'not measured':>12}  {what}", None
    is_reached = {">=": operator.ge, "<=": operator.le}[sign](value, bound)
    return f"{'PASS' if is_reached else 'miss':>12}  {what}: {value:.2f}", is_reached


def as_page(text: str, lines: Sequence[Verdict], load: float) -> str:
    """Return what is written into a page: when and where it was run, the text, and the goals."""
    nice = f", at nice {os.nice(0)}" if os.nice(0) else ""
    others = f"on {os.cpu_count()} cores with a load average of {load:.1f} before{nice}"
    when = f"Run on {datetime.now(UTC):%Y-%m-%d} with Python {platform.python_version()}, {others}.\n\n"
    return when + text + "\n```\n" + "".join(f"{line}\n" for line, _ in lines) + "```\n"


def as_json(found: Mapping[str, Mapping[str, float]], lines: Sequence[Verdict]) -> str:
    return json.dumps({"figures": found, "goals": [{"goal": line.strip(), "reached": ok} for line, ok in lines]})
