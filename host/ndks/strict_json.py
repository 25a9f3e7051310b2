# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A JSON parser that refuses repeated fields (RFC 8259, section 4, leaves their meaning open)."""

import json
from typing import Any, NoReturn


def loads(text: str | bytes) -> Any:
    """Return the parsed value. ValueError for invalid JSON, repeated fields, NaN and Infinity."""
    return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a field is repeated")
    return values


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def typed(kind: type, value: Any) -> Any:
    """Return a value that is exactly of this type: a bool is no int. TypeError for any other, without its text."""
    if type(value) is not kind:
        raise TypeError
    return value
