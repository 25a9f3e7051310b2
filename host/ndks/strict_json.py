# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""JSON in which each field has one value (RFC 8259, section 4, leaves open what a second one means)."""

import json
from typing import Any, NoReturn


def loads(text: str | bytes) -> Any:
    """Return the value. ValueError for what is no JSON, for a field that comes twice, for NaN and Infinity."""
    return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a field comes twice")
    return values


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
