# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A JSON parser that refuses repeated fields (RFC 8259, section 4, leaves their meaning open), and checks of types."""

import json
from typing import Any, NoReturn


def loads(text: str | bytes) -> Any:
    """Return the parsed value. ValueError for invalid JSON, repeated fields, NaN and Infinity."""
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")  # as json.loads
    return _DECODER.decode(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a field is repeated")
    return values


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def typed(kind: type, value: Any) -> Any:
    """Return a value that is exactly of this type: a bool is not an int. TypeError for any other, without its text."""
    if type(value) is not kind:
        raise TypeError
    return value


def is_version(value: Any, known: int) -> bool:
    """Return whether a field has this version of a format: true and 1.0, which equal 1 in Python, do not count."""
    return type(value) is int and value == known


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse)
