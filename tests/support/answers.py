# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Compare what a command answers with --json with the table of its fields."""

from collections.abc import Iterator
from typing import Any

from ndks.cli import fields


def complaints(answer: Any, known: fields.Fields, place: str = "") -> Iterator[str]:
    """Yield where an answer differs from its fields."""
    for name, inside in known.items():
        value = answer.get(fields.bare(name)) if name != "*" else None
        if name != "*" and fields.bare(name) not in answer and not name.endswith("?"):
            yield f"{place}{name} is missing"
        for each in value if isinstance(value, list) and inside else [value]:
            if each is not None and inside:
                yield from complaints(each, inside, f"{place}{name}.")
    if "*" not in known:
        yield from (f"{place}{name} is not in the table" for name in answer.keys() - set(map(fields.bare, known)))
