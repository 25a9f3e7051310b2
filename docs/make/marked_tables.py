# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tables in a page, between the lines `<!-- table: NAME -->` and `<!-- end -->`."""

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Tables = Mapping[str, Callable[[], str]]
_MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_tables(text: str, tables: Tables) -> str:
    return _MARKED.sub(lambda found: found[1] + tables[found[2]]() + found[3], text)


def write_or_check(page: Path, tables: Tables, about: str | None) -> int:
    """Write the tables of a page; with --check say whether they are up to date. Return the exit status."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    text = page.read_text(encoding="utf-8")
    missing = tables.keys() - {name for _, name, _ in _MARKED.findall(text)}
    if missing:
        print(f"{page.name} has no place for: {', '.join(missing)}", file=sys.stderr)
        return 1
    if not parser.parse_args().check:
        page.write_text(with_tables(text, tables), encoding="utf-8")
    elif with_tables(text, tables) != text:
        print(f"the tables of {page.name} are stale: make docs", file=sys.stderr)
        return 1
    return 0
