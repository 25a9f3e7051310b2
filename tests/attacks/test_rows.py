# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""SECURITY.md and the attackers say the same: each row that names an attack has its test, and each attack its row."""

import re

import pytest
from paper_table import ROOT, exists, named_in

from .attackers import SECRET
from .rows import ROWS

PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
TESTS = "tests/attacks/test_attacks.py"
NETWORKS = "tests/attacks/test_networks.py"
_NAMES_A_TEST = re.compile(rf"^\| ([^|]+) \|.*{re.escape(TESTS)}::(\w+).*\|$", re.MULTILINE)


def rows_of_page() -> dict[str, tuple[str, str]]:
    """Return adversary and whole row, by the test that the row names."""
    return {found[2]: (found[1], found[0]) for found in _NAMES_A_TEST.finditer(PAGE)}


def test_each_row_has_its_attack_and_each_attack_its_row() -> None:
    assert {test: adversary for test, (adversary, _) in rows_of_page().items()} == {
        test: row.adversary for test, row in ROWS.items()
    }
    source = (ROOT / TESTS).read_text(encoding="utf-8")
    assert set(re.findall(r"^def (test_\w+)", source, re.MULTILINE)) == set(ROWS)


def test_everything_is_the_secret() -> None:
    """The page says that an attacker gets everything if the network's secret is among what he gets."""
    said = {test for test, (_, row) in rows_of_page().items() if "**everything**" in row}
    assert said == {test for test, row in ROWS.items() if SECRET in row.gets}


def test_what_the_page_names_exists() -> None:
    tests = [name for name in named_in(PAGE) if name.startswith("tests/")]
    assert [name for name in tests if not exists(name)] == []


def rows_under(heading: str) -> list[str]:
    """Return the rows of a section of the page, without the heads of its tables."""
    _, _, rest = PAGE.partition(f"\n## {heading}\n")
    rows = re.findall(r"^\|.*\|$", rest.partition("\n## ")[0], re.MULTILINE)
    return [row for row in rows if not row.startswith(("| what ", "| adversary ", "| --- "))]


@pytest.mark.parametrize(
    ("heading", "least"), [("Networks with administrators", 20), ("Tunnels", 15), ("Keys for others", 13)]
)
def test_each_row_names_what_shows_it(heading: str, least: int) -> None:
    rows = rows_under(heading)
    assert len(rows) > least
    assert [row for row in rows if not named_in(row.rpartition(" | ")[2])] == []
    assert [name for row in rows for name in named_in(row) if not exists(name)] == []


def test_each_attack_on_networks_has_its_row() -> None:
    source = (ROOT / NETWORKS).read_text(encoding="utf-8")
    assert set(re.findall(rf"`{NETWORKS}::(\w+)`", PAGE)) == set(re.findall(r"^def (test_\w+)", source, re.MULTILINE))
