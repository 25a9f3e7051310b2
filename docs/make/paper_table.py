# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check docs/paper.md: whatever its tables name exists, and each demand names something or says that it is not shown.

python docs/make/paper_table.py
"""

import argparse
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from man_page import subcommands

from ndks.cli import build_parser
from ndks_laboratory.homologation.requirements import REQUIREMENTS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "paper.md"
_ROW = re.compile(r"^\| (?P<demand>.+) \| (?P<shown>.+) \|$", re.MULTILINE)
_HEADS = ("the paper's words", "---")
_NAMED = re.compile(r"`((?:ndks|make|python|tests/)[^`]*)`|\b(R\d+)(?: to R(\d+))?\b")
_HONEST = re.compile(r"\*\*(?:not yet|not shown|no)\*\*", re.IGNORECASE)


def complaints(page: str) -> list[str]:
    """Return what a page names in vain, and the demands that nothing answers."""
    found = [f"there is no {name}" for name in named_in(page) if not exists(name)]
    for row in _ROW.finditer(page):
        if not row["demand"].startswith(_HEADS) and not named_in(row["shown"]) and not _HONEST.search(row["shown"]):
            found.append(f"nothing is named for: {row['demand']}")
    return found


def named_in(text: str) -> list[str]:
    """Return the commands, files, tests and requirements that a text names; R8 to R10 are three."""
    names: list[str] = []
    for quoted, first, last in _NAMED.findall(text):
        numbers = range(int(first[1:]), int(last or first[1:]) + 1) if first else ()
        names += [quoted] if quoted else [f"R{number}" for number in numbers]
    return names


def exists(name: str) -> bool:
    if name.startswith("ndks"):
        return is_command(name.split()[1:])
    if name.startswith("make"):
        return re.search(rf"^{name.split()[1]}\b.*:", (ROOT / "Makefile").read_text(), re.MULTILINE) is not None
    if name.startswith("R"):
        return name in {requirement.id for requirement in REQUIREMENTS}
    path, _, test = name.removeprefix("python ").split()[0].partition("::")
    return (ROOT / path).is_file() and (not test or is_defined(test, (ROOT / path).read_text()))


def is_command(words: list[str]) -> bool:
    """Whether some command of ndks begins with these words and has these options, with these choices."""
    return any(fits(parser, words) for parser in subcommands(build_parser()))


def fits(parser: argparse.ArgumentParser, words: list[str]) -> bool:
    name = parser.prog.split(" [")[0].split()[1:]
    return words[: len(name)] == name and all(option_fits(parser, *each) for each in options_in(words[len(name) :]))


def options_in(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each option with the word behind it."""
    for word, following in pairwise([*words, ""]):
        if word.startswith("-"):
            yield word, following


def option_fits(parser: argparse.ArgumentParser, option: str, value: str) -> bool:
    action = parser._option_string_actions.get(option)
    return bool(action) and (
        not action.choices or value == action.metavar or value in action.choices or value.isupper()
    )


def is_defined(test: str, source: str) -> bool:
    return re.search(rf"^ *(?:(?:async )?def|class) {test}\b|^{test} =", source, re.MULTILINE) is not None


def main() -> int:
    for complaint in (found := complaints(PAGE.read_text(encoding="utf-8"))):
        print(f"docs/{PAGE.name}: {complaint}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
