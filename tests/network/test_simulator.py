# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The simulator finds what is wrong, shrinks it, and replays it; it says so by its exit status."""

import sys

import pytest

from network.__main__ import main
from network.model import rules
from network.sides import MUTANTS
from network.simulator import Task, run, shrink

RULE = "numbers are reserved before use"


def test_a_violation_is_shrunk_and_replayed() -> None:
    with rules.without(RULE):
        ended = run(Task("model", 7, 3000))
        assert ended.violation.startswith("a number was used twice")
        small = shrink(ended)
        assert small.only is not None
        assert len(small.only) < ended.actions / 4
        assert run(small).violation.startswith("a number was used twice")
    assert not run(small).violation
    assert f"--seed 7 --nodes {small.size} --events 3000 --only {small.only[0]}" in small.command


def test_lockstep_finds_a_unit_of_other_rules() -> None:
    with MUTANTS["pair"]["a repeated beacon is no sign of life"]():
        assert "product" in run(Task("pair", 2, 3000)).violation


@pytest.mark.parametrize(("without", "status"), [([], 0), (["--without", RULE], 1)])
def test_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], without: list[str], status: int
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["network", "--side", "model", "--seed", "7", "--events", "3000", "--jobs", "1", *without]
    )
    monkeypatch.setattr(rules, "left_out", set[str]())
    assert main() == status
    assert f", {status} violations in " in capsys.readouterr().out.splitlines()[-1]
