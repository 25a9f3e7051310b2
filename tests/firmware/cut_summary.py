# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A plugin of pytest: how many power cuts were tried is told at the end of a run."""

import os

import pytest

FULL = os.environ.get("NDKS_TEST_FULL") == "1"
POWER_CUTS = "power cuts"  # the property of a test that says how many it tried


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ends = [report for report in terminalreporter.getreports("") if report.when == "teardown"]
    tried = sum(dict(report.user_properties).get(POWER_CUTS, 0) for report in ends)
    if tried:
        which = "all of them" if FULL else "some, a prime number of steps apart; NDKS_TEST_FULL=1 tries all"
        terminalreporter.write_line(f"power cuts tried: {tried} ({which})")
