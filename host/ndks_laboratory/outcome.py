# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a stage has to show."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that must hold, and whether it did; None where this system cannot show it."""

    name: str
    held: bool | None
    detail: str = ""


def all_held(checks: Sequence[Check]) -> bool | None:
    """Return None when nothing failed, but this system could not show everything."""
    outcomes = {check.held for check in checks}
    return False if False in outcomes else None if None in outcomes else True
