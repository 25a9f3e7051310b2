# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Make the tables of docs/walk.md from real runs: the files and functions that each request is the first to pass.

python docs/make/walk_tables.py            write them
python docs/make/walk_tables.py --check    say whether the files in them are those of today

What a file is for stands in its docstring. Some functions depend on the machine (what a laptop is known by), so that
only files are compared.
"""

import argparse
import ast
import re
import sys
from collections import Counter

from marked_tables import table
from rooms import ROOT, modules, room_of
from walk import WALKS, Walk, walk

PAGE = ROOT / "docs" / "walk.md"
_MARKED = re.compile(r"(<!-- walk: (\w+)(?: ([\w ]+))? -->\n).*?(<!-- end -->)", re.DOTALL)
_FILE = re.compile(r"^\| `([^`]*)` \|", re.MULTILINE)


class Tables:
    """What the markers of the page stand for."""

    def __init__(self) -> None:
        self._modules = modules()
        self._walks = {name: walk(command) for name, command in WALKS.items()}
        self._known: set[str] = set()  # files that the page has shown
        self._functions: set[tuple[str, str]] = set()
        self.missing = {(name, step) for name in WALKS for step in self._walks[name].passed}

    def text(self, name: str, step: str) -> str:
        if not step:
            by_room = sorted(files_by_room(self._walks[name]).items(), key=lambda counted: (-counted[1], counted[0]))
            rooms = ", ".join(f"{room} {count}" for room, count in by_room)
            return f"`ndks {' '.join(WALKS[name])}` passes {size_of(self._walks[name])}. Files by room: {rooms}.\n"
        self.missing.discard((name, step))
        return table(("file", "functions", "what the file is for"), self.rows(name, step))

    def rows(self, name: str, step: str) -> list[tuple[str, str, str]]:
        rows: list[tuple[str, str, str]] = []
        for module, functions in self._walks[name].passed.get(step, {}).items():
            new = [each for each in functions if (module, each) not in self._functions]
            if new:
                self._functions |= {(module, each) for each in new}
                rows.append((f"`{self._path(module)}`", ", ".join(f"`{each}`" for each in new), self._purpose(module)))
        return rows

    def _path(self, module: str) -> str:
        return str(self._modules[module].relative_to(ROOT))

    def _purpose(self, module: str) -> str:
        """Return the first sentence of a file that the page has not shown yet."""
        if module in self._known:
            return ""
        self._known.add(module)
        text = ast.get_docstring(ast.parse(self._modules[module].read_text())) or ""
        return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


def files_by_room(found: Walk) -> Counter[str]:
    return Counter(f"`{room_of(module)}`" for module in {module for step in found.passed.values() for module in step})


def size_of(found: Walk) -> str:
    files = {module for step in found.passed.values() for module in step}
    functions = sum(len(names) for step in found.passed.values() for names in step.values())
    return f"{len(files)} files and {functions} functions"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    is_check = parser.parse_args().check
    tables, old = Tables(), PAGE.read_text()
    new = _MARKED.sub(lambda found: found[1] + tables.text(found[2], found[3] or "") + found[4], old)
    if places := [place for place in sorted(tables.missing) if tables.rows(*place)]:
        print(f"{PAGE.name} has no place for: {places}", file=sys.stderr)
        return 1
    if not is_check:
        PAGE.write_text(new)
    elif _FILE.findall(new) != _FILE.findall(old):
        print(f"{PAGE.name} is stale: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
