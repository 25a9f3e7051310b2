# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Layouts of payloads, in the form "name:type name:type" (PROTOCOL.md section 5). Integers are big-endian.

u8 u16 u32 u64   unsigned integer          b8 b32 ...   that many bytes
text             u8 size, then UTF-8       rest         all remaining bytes (last field only)
"""

import struct
import sys

try:
    from typing import Any
except ImportError:  # not on the board, where annotations are not evaluated
    pass

# pyright: reportPossiblyUnboundVariable=false

ON_A_BOARD = sys.implementation.name in ("circuitpython", "micropython")  # a board has no room for names

_KINDS: dict[str, str] = {}
_LAYOUTS: "dict[tuple[str, ...], Layout]" = {}
_INTEGERS = {"u8": ">B", "u16": ">H", "u32": ">I", "u64": ">Q"}


class Layout:
    """The fields of a payload, in order. `names` is for documentation; it is empty on a board."""

    names: tuple[str, ...] = ()

    def __init__(self, text: str):
        fields = [field.split(":") for field in text.split()]
        self.kinds = tuple([_KINDS.setdefault(kind, kind) for _, kind in fields])  # store equal strings once
        if not ON_A_BOARD:
            self.names = tuple([name for name, _ in fields])

    def pack(self, *values: object) -> bytes:
        """Return the payload for `values`. ValueError: they do not match the layout."""
        if len(values) != len(self.kinds):
            raise ValueError("wrong number of fields")
        packed = [_pack(kind, value) for kind, value in zip(self.kinds, values)]
        return b"".join([bytes(part) for part in packed])

    def pack_into(self, buffer: memoryview, *values: object) -> int:
        """Write the payload for `values` to the start of `buffer`, and return its size. ValueError as `pack`."""
        if len(values) != len(self.kinds):
            raise ValueError("wrong number of fields")
        size = 0
        for kind, value in zip(self.kinds, values):
            packed = _pack(kind, value)
            buffer[size : size + len(packed)] = packed
            size += len(packed)
        return size

    def unpack(self, payload: "bytes | bytearray | memoryview", allow_more: bool = False) -> tuple[Any, ...]:
        """Return the values of the fields. ValueError: the payload does not match the layout.

        `allow_more` ignores bytes after the last field: a newer minor version may add fields.
        """
        values: list[Any] = []
        position = 0
        for kind in self.kinds:
            value, position = _unpack(kind, payload, position)
            values.append(value)
        if position < len(payload) and not allow_more:
            raise ValueError("bytes after the last field")
        return tuple(values)


def layout(text: str) -> Layout:
    """Return the layout for a description. On a board, layouts with equal types are one object."""
    made = Layout(text)
    return _LAYOUTS.setdefault(made.kinds, made) if ON_A_BOARD else made


def _pack(kind: str, value: object) -> "bytes | bytearray | memoryview":
    if kind in _INTEGERS and isinstance(value, int):
        code = _INTEGERS[kind]
        if not 0 <= value < 1 << 8 * struct.calcsize(code):  # MicroPython's struct would wrap around silently
            raise ValueError("integer out of range")
        return struct.pack(code, value)
    if kind == "text" and isinstance(value, str):
        encoded = value.encode()
        if len(encoded) > 255:
            raise ValueError("text too long")
        return bytes((len(encoded),)) + encoded
    if kind[0] in "br" and isinstance(value, (bytes, bytearray, memoryview)):
        data: "bytes | bytearray | memoryview[int]" = value  # pyright: ignore[reportUnknownVariableType]
        if kind != "rest" and len(data) != int(kind[1:]):
            raise ValueError("wrong number of bytes")
        return data
    raise ValueError("wrong kind of value")


def _unpack(kind: str, payload: "bytes | bytearray | memoryview", position: int) -> tuple[Any, int]:
    if kind == "rest":
        return payload[position:], len(payload)  # a slice of a memoryview shares its memory
    if kind in _INTEGERS:
        size = struct.calcsize(_INTEGERS[kind])
    elif kind == "text":
        if position >= len(payload):
            raise ValueError("payload too short")
        size = payload[position]
        position += 1
    else:
        size = int(kind[1:])
    end = position + size
    if end > len(payload):
        raise ValueError("payload too short")
    if kind in _INTEGERS:
        return struct.unpack_from(_INTEGERS[kind], payload, position)[0], end
    if kind == "text":
        try:
            return bytes(payload[position:end]).decode(), end
        except UnicodeError:
            raise ValueError("text is not UTF-8") from None
    return bytes(payload[position:end]), end
