# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Make the table of docs/compared.md: what users expect of such a command, in `ndks` and in five others.

python docs/make/compared.py            print it; tools that are not on the path are named
python docs/make/compared.py --write    write it into the page, where all tools are here
python docs/make/compared.py --ndks     try ndks alone, and say where it is behind what the page says of the others

expectations.toml holds the commands and how they are judged. The page says how to install the tools.
"""

import argparse
import datetime
import re
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from marked_tables import table
from tool_probes import ABSENT, CLONE, MARKS, Finding, read_expectations, try_tool

PAGE = CLONE / "docs" / "compared.md"
OURS = "ndks"
_MARKED = re.compile(r"(<!-- compared -->\n).*(<!-- end -->)", re.DOTALL)
_ROW = re.compile(r"^\| \d+ \| (.*) \|$", re.MULTILINE)

Marks = Mapping[str, Mapping[str, str]]  # expectation, tool


def page_text(data: dict[str, Any], tried: Mapping[str, tuple[str, list[Finding]]]) -> str:
    """Return what stands between the markers of the page."""
    marks = {
        each["name"]: {tool: findings[number].mark for tool, (_, findings) in tried.items()}
        for number, each in enumerate(data["expectation"])
    }
    versions = [(f"`{tool}`", version, data["tool"][tool]["install"]) for tool, (version, _) in tried.items()]
    parts = [
        f"Run on {datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d} with\n",
        table(("tool", "version", "from"), versions),
        table(("", "expectation", *tried), table_rows(marks)),
        behind_text(marks),
        "## What it rests on\n",
        *(evidence(number, each, tried) for number, each in enumerate(data["expectation"])),
    ]
    return "\n".join(parts)


def table_rows(marks: Marks) -> list[tuple[str, ...]]:
    return [(str(number), name, *of.values()) for number, (name, of) in enumerate(marks.items(), 1)]


def behind(marks: Marks) -> dict[str, list[str]]:
    """Return the expectations that another tool meets better than ours, and which tools meet them best."""
    found = {}
    for name, of in marks.items():
        rank = {tool: MARKS.index(mark) for tool, mark in of.items() if mark in MARKS}
        best = max(rank.values(), default=0)
        if rank.get(OURS, best) < best:
            found[name] = [tool for tool, each in rank.items() if each == best]
    return found


def behind_text(marks: Marks) -> str:
    found = behind(marks)
    count = f"`{OURS}` is behind the best of the others in {len(found)} of {len(marks)}"
    lines = [f"- {name} ({marks[name][OURS]}): {', '.join(tools)}" for name, tools in found.items()]
    return "\n".join([f"{count}{':' if found else '.'}\n", *lines, ""]) if found else f"{count}.\n"


def evidence(number: int, expectation: dict[str, Any], tried: Mapping[str, tuple[str, list[Finding]]]) -> str:
    rows = [evidence_row(tool, findings[number]) for tool, (_, findings) in tried.items()]
    heads = ("tool", "", "command", "status", "it said")
    return f"### {number + 1}. {expectation['name']}\n\n{expectation['asks']}\n\n{table(heads, rows)}"


def evidence_row(tool: str, finding: Finding) -> tuple[str, ...]:
    command = "; ".join(line.strip() for line in finding.command.splitlines())
    said = [code(finding.quote)] if finding.quote else []
    said += [f"({finding.note})"] if finding.note else []
    status = "" if finding.status is None else str(finding.status)
    return tool, finding.mark, code(command) if command else "", status, " ".join(said)


def code(text: str) -> str:
    """Return text as code in a cell of a table."""
    fence = "``" if "`" in text else "`"
    space = " " if "`" in text else ""
    return f"{fence}{space}{text.replace('|', chr(92) + '|')}{space}{fence}"


def marks_of_page(data: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the marks that the page holds."""
    rows = [row.split(" | ") for row in _ROW.findall(PAGE.read_text(encoding="utf-8"))]
    return {name: dict(zip(data["tool"], marks, strict=True)) for name, *marks in rows}


def marks_with_ndks_of_now(data: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the marks of the page, but for ndks those of today."""
    _, findings = try_tool(OURS, data)
    names = [each["name"] for each in data["expectation"]]
    marks = marks_of_page(data)
    return {name: {**marks[name], OURS: each.mark} for name, each in zip(names, findings, strict=True)}


def try_all(data: dict[str, Any]) -> dict[str, tuple[str, list[Finding]]]:
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(data["tool"], pool.map(lambda tool: try_tool(tool, data), data["tool"]), strict=True))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--write", action="store_true", help="write the table into the page")
    group.add_argument("--ndks", action="store_true", help="try ndks alone")
    options = parser.parse_args(arguments)
    data = read_expectations()
    if options.ndks:
        print(behind_text(marks_with_ndks_of_now(data)), end="")
        return 0
    tried = try_all(data)
    absent = [tool for tool, (version, _) in tried.items() if version == ABSENT]
    if absent:
        print(f"not installed: {', '.join(absent)}; {PAGE.relative_to(CLONE)} says how", file=sys.stderr)
    text = page_text(data, tried)
    if not options.write:
        print(text, end="")
    elif not absent:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(_MARKED.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page), encoding="utf-8")
    return 1 if absent and options.write else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
