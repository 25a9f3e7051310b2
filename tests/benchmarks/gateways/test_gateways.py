# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What `make bench-gateways` makes of its figures; nothing is measured here."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.goals import Goal
from benchmarks.pages import as_json, as_page, write_into

from . import __main__ as bench
from . import pairs
from .goals import OURS, table, verdicts
from .links import CHECK, HEADER, HELLO, made


@pytest.mark.parametrize(
    ("figures", "word", "reached"),
    [
        ({OURS: {"MB/s": 400.0}, "spiped": {"MB/s": 100.0}}, "PASS", True),
        ({OURS: {"MB/s": 399.0}, "spiped": {"MB/s": 100.0}}, "miss", False),
        ({OURS: {"MB/s": 400.0}}, "not measured", None),
        ({"spiped": {"MB/s": 100.0}}, "not measured", None),
    ],
)
def test_a_goal_is_a_ratio(figures: dict[str, dict[str, float]], word: str, reached: bool | None) -> None:
    line, found = Goal(OURS, "MB/s", ">=", 4, "spiped").line(figures)
    assert line.split("  ")[0].strip() == word or line.strip().startswith(word)
    assert found is reached


def test_each_pair_has_a_row_and_each_goal_a_line() -> None:
    figures = {"spiped": {"MB/s": 100.0, "failed": 7.0}, OURS: {"MB/s": 410.4}}
    rows = table(figures).splitlines()
    assert len(rows) == 2 + len(figures)
    assert rows[2].startswith("| spiped | 100 |")
    assert rows[3].startswith(f"| {OURS} | 410 |")
    lines = verdicts(figures)
    assert json.loads(as_json(figures, lines))["figures"] == figures
    assert "load average of 1.5" in as_page(table(figures), lines, 1.5)
    assert bench.as_text(figures, lines).count("not measured") == len(lines) - 1


def test_the_page_keeps_what_stands_around(tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    page.write_text("a\n<!-- bench-gateways -->\nold\n<!-- end -->\nb\n<!-- end -->\n")
    write_into(page, "bench-gateways", "new\n")
    assert page.read_text() == "a\n<!-- bench-gateways -->\nnew\n<!-- end -->\nb\n<!-- end -->\n"


def test_programs_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "stunnel4" else name)
    assert pairs.missing() == ["stunnel"]


@pytest.mark.parametrize(("kind", "before", "name"), [(1, HEADER + CHECK, "full"), (2, 0, "resumed")])
def test_a_link_is_made_when_a_record_follows_the_accept(kind: int, before: int, name: str) -> None:
    said = bytes(HELLO) + bytes([kind]) + bytes(before) + (5).to_bytes(2, "big") + bytes(5)
    assert [made(said[:size]) for size in range(len(said) + 1)] == [""] * (len(said) + 1)
    assert made(said + b"r") == name


def test_a_refusal_is_no_link() -> None:
    assert made(bytes(HELLO) + b"\4" + bytes(100)) == ""
