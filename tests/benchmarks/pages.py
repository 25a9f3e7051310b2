# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where a benchmark writes what it has found."""

import re
from pathlib import Path

SPEED = Path(__file__).parents[2] / "docs" / "speed.md"


def write_into(page: Path, name: str, text: str) -> None:
    """Put the text between the lines `<!-- NAME -->` and `<!-- end -->` of a page. ValueError if it has none."""
    marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    written, count = marked.subn(lambda found: f"{found[1]}{text}{found[2]}", page.read_text("utf-8"))
    if count != 1:
        raise ValueError(f"{page} has no place for {name}")
    page.write_text(written, "utf-8")
