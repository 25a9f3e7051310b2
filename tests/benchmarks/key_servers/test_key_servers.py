# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What `make bench-serve` makes of its figures; little is measured here."""

import json
from pathlib import Path

from benchmarks.pages import as_json, as_page

from . import __main__ as bench
from . import servers
from .clients import pairs

FIGURES = dict.fromkeys(bench._COLUMNS, 1.5)
WRONG = {"wrong ids: CPU us, one": 500.0, "wrong ids: CPU us, many": 9.0}
FOUND = {
    bench._STUB: FIGURES,
    bench._OURS: FIGURES | WRONG | {"wrong ids: MB more": 9.0},
}


def test_goals_are_reached_missed_or_not_measured() -> None:
    lines = dict(zip(bench.GOALS, (goal.line(FOUND) for goal in bench.GOALS), strict=True))
    by_figure = {(goal.ours, goal.figure): found for goal, (_, found) in lines.items()}
    assert by_figure[bench._OURS, "CPU ms a pair, 1 client"] is True  # a ratio of 1
    assert by_figure[bench._OURS, "wrong ids: MB more"] is False
    assert by_figure[bench._SLOW, "pairs/s, 8 clients"] is None


def test_the_page_has_a_row_for_each_server_and_a_line_for_each_goal() -> None:
    lines = [goal.line(FOUND) for goal in bench.GOALS]
    page = as_page(bench.table(FOUND) + bench.wrong_line(FOUND), lines, 1.5)
    assert "load average of 1.5" in page
    assert "500 us" in page
    assert all(line in page for line, _ in lines)
    assert len(bench.table(FOUND).splitlines()) == 2 + len(FOUND)
    assert json.loads(as_json(FOUND, lines))["figures"] == FOUND


def test_the_bare_server_serves_pairs(tmp_path: Path) -> None:
    certificates = servers.make_certificates(tmp_path / "certificates")
    with servers.stub(certificates, tmp_path / "stub") as served:
        assert pairs(served, 2, 0.1, 3)["pairs/s"] > 0
