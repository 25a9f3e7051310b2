# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of docs/compared.md: its table has the rows of expectations.toml, and its marks for `ndks` are still true."""

import compared
import pytest
from tool_probes import ABSENT, MARKS, Bench, Finding, Said, judge, quote, read_expectations

DATA = read_expectations()
NAMES = [each["name"] for each in DATA["expectation"]]
OURS = compared.OURS


def test_the_table_has_44_rows_and_a_cell_for_each_tool() -> None:
    assert len(NAMES) == len(set(NAMES)) == 44
    assert [name for each in DATA["expectation"] for name in DATA["tool"] if name not in each] == []
    assert list(compared.marks_of_page(DATA)) == NAMES


@pytest.mark.kernel
@pytest.mark.consumers("bash", "script", "stat", "timeout", "unshare")
def test_ndks_does_what_the_page_says() -> None:
    page, now = compared.marks_of_page(DATA), compared.marks_with_ndks_of_now(DATA)
    fallen = [name for name in NAMES if MARKS.index(now[name][OURS]) < MARKS.index(page[name][OURS])]
    assert fallen == []


def test_judging_is_by_status_and_words() -> None:
    entry = {"yes": {"status": [1, 2], "err": "mean '", "never": "Traceback"}, "partly": {"status": 2}}
    assert judge(Said(2, "", "no lst\nDid you mean 'list'?"), entry)[0] == "yes"
    assert judge(Said(2, "mean '", ""), entry)[0] == "partly"
    assert judge(Said(0, "", "mean '"), entry)[0] == "no"
    assert judge(Said(1, "", "mean '\nTraceback"), entry)[0] == "no"
    assert judge(Said(0, "\n", "x"), {"yes": {"out": "^$"}})[0] == "yes"


def test_the_quote_is_the_line_that_decided() -> None:
    said = Said(2, "first\n", "│ Did you mean │\nlast\n")
    assert quote(said, judge(said, {"yes": {"says": "Did"}})[1]) == "Did you mean"
    assert quote(said, -1) == "first"
    assert quote(Said(1, "", "Usage:\nx: error: bad\nTry this"), -1) == "x: error: bad"
    assert quote(Said(0, "y" * 200, ""), -1).endswith("y…")


def test_behind_is_what_another_does_better() -> None:
    marks = {
        "a": {OURS: "no", "x": "yes", "y": "partly"},
        "b": {OURS: "partly", "x": "partly", "y": ABSENT},
        "c": {OURS: "yes", "x": "-", "y": "no"},
    }
    assert compared.behind(marks) == {"a": ["x"]}
    assert compared.behind_text(marks) == f"`{OURS}` is behind the best of the others in 1 of 3:\n\n- a (no): x\n"


def test_a_cell_keeps_bars_and_backticks() -> None:
    row = compared.evidence_row("x", Finding("yes", "a | b\nc", 0, "by `d`"))
    assert row == ("x", "yes", r"`a \| b; c`", "0", "`` by `d` ``")


def test_a_tool_that_is_not_there_is_named(tmp_path) -> None:
    bench = Bench("no-such-tool", {}, tmp_path)
    assert bench.finding({"no-such-tool": "no-such-tool --help"}, "no-such-tool") == Finding(ABSENT)
