# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Findings that do not exist yet when the test begins: a person says when they do."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ndks.exceptions import FileError, NdksError

from .expert_finding import ExpertFinding, check_units

Note = Callable[[str], object]
Ask = Callable[[], str]  # waits for Enter; returns "" at the end of the input


def wait_for_findings(
    paths: Sequence[Path], serial_numbers: Sequence[str], note: Note, ask: Ask
) -> list[ExpertFinding]:
    """Ask until all files exist and are findings about these units. FileError when nobody answers."""
    note("the units keep their state. The experts' findings go to these files:")
    for path in paths:
        note(f"    {path}")
    while True:
        note("press Enter when all of them exist")
        if not ask():
            raise FileError("stdin ended before the findings were there", "repeat in a terminal")
        try:
            findings = [ExpertFinding.load(path) for path in paths]
            check_units(findings, serial_numbers)
            return findings
        except NdksError as error:
            note(str(error))
        except OSError as error:
            note(f"{error.filename} cannot be read: {error.strerror}")
