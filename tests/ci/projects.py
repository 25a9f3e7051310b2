# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Small projects of others, whose tests pytest runs in a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

TIMEOUT = 800.0  # seconds
_WITHOUT = ["cacheprovider", "hypothesispytest", "schemathesis"]  # takes long to load, and no project uses it


class Outcome(NamedTuple):
    counts: dict[str, int]  # "passed", "failed", ...: how many tests
    output: str


def run_pytest(project: Path, *options: str, python: Path = Path(sys.executable), **variables: str) -> Outcome:
    """Run the tests of a project with no variable of NDKS but `variables`; HOME is a directory beside it."""
    home = project.with_name(f"{project.name}-home")
    home.mkdir(exist_ok=True)
    command = [str(python), "-m", "pytest", *(f"-pno:{name}" for name in _WITHOUT), *options]
    done = subprocess.run(
        command,
        cwd=project,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        env=_without_ours(os.environ) | {"HOME": str(home)} | variables,
    )
    output = done.stdout + done.stderr
    found = re.search(r"^=* ?((?:\d+ \w+(?:, )?)+) in ", output, re.MULTILINE)
    assert found, output
    counts = {kind: int(count) for count, kind in re.findall(r"(\d+) (\w+)", found[1])}
    return Outcome(counts, output)


def _without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    ours = ("NDKS_", "PYTEST", "PYTHON", "COV_", "XDG_")
    return {name: value for name, value in environment.items() if not name.startswith(ours)}
