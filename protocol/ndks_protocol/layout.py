# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Layouts of payloads: fields with their names, for hosts and documents. A unit uses `fields` alone."""

import re
import struct
from typing import Any

from . import fields as codec

_KINDS = {"B": "u8", "H": "u16", "I": "u32", "Q": "u64", "t": "text", "*": "rest"}  # as PROTOCOL.md writes them
_FIELD = re.compile(r"(\d*)(.)")


class Layout:
    """The fields of a payload (notation: module `fields`) with their names. ValueError: the numbers of both differ."""

    def __init__(self, fields: str, names: str) -> None:
        self.fields = fields
        self.names = tuple(names.split())
        found: list[tuple[str, str]] = _FIELD.findall(fields[1:])
        kinds = [_KINDS.get(letter, "b" + size) for size, letter in found]
        self.kinds: tuple[str, ...] = tuple(kinds)
        if len(self.names) != len(self.kinds):
            raise ValueError("the numbers of names and fields differ: " + names)

    def pack(self, *values: object) -> bytes:
        """Return the payload for `values`. ValueError: they do not match the layout."""
        try:
            return codec.pack(self.fields, *values)
        except (struct.error, AttributeError, IndexError, TypeError) as error:
            raise ValueError(f"values of another layout: {error}") from None

    def unpack(self, payload: "bytes | bytearray | memoryview", allow_more: bool = False) -> tuple[Any, ...]:
        """Return the values of the fields. ValueError: the payload does not match the layout.

        `allow_more` ignores bytes after the last field: a newer minor version may add fields.
        """
        return codec.unpack(self.fields, payload, allow_more)
