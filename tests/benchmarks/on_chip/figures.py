# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Figures of a unit by their names, which `rows.py` puts in the table."""

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .chip_unit import ChipUnit, Cost
    from .member import Member

Figures = dict[str, float]


def medians(of: Mapping[str, Iterable[float]]) -> Figures:
    """Return the median of each list that is not empty."""
    return {name: median(values) for name, each in of.items() if (values := list(each))}


def costs(member: "Member", times: int, operation: Callable[[], object]) -> "list[Cost]":
    return [_cost(member.unit, operation) for _ in range(times)]


def _cost(unit: "ChipUnit", operation: Callable[[], object]) -> "Cost":
    before = unit.cost
    operation()
    return unit.cost - before
