# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A pytest plugin: marks for tests with special needs, and a report of the time of a run and the tests left out.

`@pytest.mark.kernel`, `@pytest.mark.consumers("tshark")`: a test whose need is not met is skipped. Each
mark has a budget, so that CI stays within its time: the report compares, no test fails for being slow.
"""

import functools
import os
import shutil
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

import pytest

from ndks_laboratory.stages.cage import find_cage


class Mark(NamedTuple):
    minutes: int  # budget of all tests with this mark, in minutes of one core
    meaning: str
    missing: Callable[[pytest.Config, tuple[str, ...]], str]  # what the machine lacks; "" when all is there


@functools.cache
def _has_cage() -> bool:
    return bool(find_cage())


def _programs_missing(_config: pytest.Config, programs: tuple[str, ...]) -> str:
    """Return the programs that are not installed; "a|b" means one of the two."""
    return ", ".join(program for program in programs if not any(map(shutil.which, program.split("|"))))


def _unit_missing(config: pytest.Config, _arguments: tuple[str, ...]) -> str:
    return "" if config.getoption("--unit") else "--unit PORT"


def _image_missing(_config: pytest.Config, _arguments: tuple[str, ...]) -> str:
    if not find_spec("ndks_chip"):
        return "ndks-chip, which `make chip` installs"
    return "" if os.environ.get("NDKS_UF2") else "NDKS_UF2, an image of CircuitPython"


def _namespaces_missing(_config: pytest.Config, _arguments: tuple[str, ...]) -> str:
    return "" if _has_cage() else "network namespaces"


MARKS = {
    "kernel": Mark(12, "isolates processes in network namespaces of the kernel", _namespaces_missing),
    "consumers": Mark(3, "runs programs of others on what NDKS writes", _programs_missing),
    "hardware": Mark(15, "runs on a unit that is plugged in", _unit_missing),
    "chip": Mark(20, "runs CircuitPython on an emulated RP2040", _image_missing),
}


def pytest_configure(config: pytest.Config) -> None:
    for name, mark in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {mark.meaning}; budget {mark.minutes} minutes")


@pytest.hookimpl(trylast=True)  # behind those that give marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for name, mark in MARKS.items():
            for worn in item.iter_markers(name):
                if missing := mark.missing(config, worn.args):
                    item.add_marker(pytest.mark.skip(reason=f"{name}: needs {missing}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = [
        report
        for category in ("", "passed", "failed", "error", "skipped", "xfailed", "xpassed")
        for report in terminalreporter.getreports(category)
        if isinstance(report, pytest.TestReport)
    ]
    folders: Counter[str] = Counter()
    for report in reports:
        folders["/".join(report.nodeid.split("/")[:2])] += report.duration
    spent = ", ".join(f"{folder} {seconds / 60:.1f}" for folder, seconds in folders.most_common())
    terminalreporter.write_line(f"minutes of one core: {spent}")
    for name in MARKS:
        terminalreporter.write_line(_row(name, [report for report in reports if name in report.keywords], config))


def _row(name: str, reports: list[pytest.TestReport], config: pytest.Config) -> str:
    """Return a line with the time of the tests with this mark, and why some were left out."""
    mark = MARKS[name]
    run = {report.nodeid for report in reports if report.when == "call"}
    skipped = Counter(str(report.longrepr[2]) for report in reports if isinstance(report.longrepr, tuple))
    left_out = [f"left out {count} ({reason.removeprefix('Skipped: ')})" for reason, count in skipped.items()]
    if not reports:
        missing = mark.missing(config, ())
        return f"{name}: no tests" + (f" (needs {missing})" if missing else "")
    minutes = sum(report.duration for report in reports) / 60
    over = ", OVER ITS BUDGET" if minutes > mark.minutes else ""
    return "; ".join([f"{name}: {len(run)} tests, {minutes:.1f} of {mark.minutes} minutes{over}", *left_out])
