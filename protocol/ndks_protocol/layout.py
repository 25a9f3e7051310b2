# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Payload layouts, written as "name:type name:type" (PROTOCOL.md section 5). Integers are big-endian.

u8 u16 u32 u64   unsigned integer          b8 b32 ...   that many bytes
text             u8 size, then UTF-8       rest         all bytes that are left (last field only)
"""

import struct
import sys

try:
    from typing import Any
except ImportError:  # not on the board, where annotations are not evaluated
    pass

# pyright: reportPossiblyUnboundVariable=false

_KINDS: dict[str, str] = {}
_INTEGERS = {"u8": ">B", "u16": ">H", "u32": ">I", "u64": ">Q"}


class Layout:
    """The fields of one payload, in order. `names` are for documents: a board has no room for them."""

    names: tuple[str, ...] = ()

    def __init__(self, text: str):
        fields = [field.split(":") for field in text.split()]
        self.kinds = tuple([_KINDS.setdefault(kind, kind) for _, kind in fields])  # each text is kept once
        if sys.implementation.name not in ("circuitpython", "micropython"):
            self.names = tuple([name for name, _ in fields])

    def pack(self, *values: object) -> bytes:
        """Return the payload that carries `values`; ValueError when they do not fit."""
        if len(values) != len(self.kinds):
            raise ValueError("wrong number of fields")
        packed = [_pack(kind, value) for kind, value in zip(self.kinds, values)]
        return packed[0] if len(packed) == 1 else b"".join(packed)  # a board has no heap for copies

    def unpack(self, payload: bytes, allow_more: bool = False) -> tuple[Any, ...]:
        """Return the values in `payload`; ValueError when it is no such payload.

        `allow_more` passes over bytes after the last field: fields that a newer minor version has added.
        """
        values: list[Any] = []
        position = 0
        for kind in self.kinds:
            value, position = _unpack(kind, payload, position)
            values.append(value)
        if position < len(payload) and not allow_more:
            raise ValueError("bytes after the last field")
        return tuple(values)


def _pack(kind: str, value: object) -> bytes:
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
    if kind[0] in "br" and isinstance(value, (bytes, bytearray)):
        if kind != "rest" and len(value) != int(kind[1:]):
            raise ValueError("wrong number of bytes")
        return bytes(value)
    raise ValueError("wrong kind of value")


def _unpack(kind: str, payload: bytes, position: int) -> tuple[Any, int]:
    if kind == "rest":
        return payload[position:], len(payload)
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
            return payload[position:end].decode(), end
        except UnicodeError:
            raise ValueError("text is not UTF-8") from None
    return payload[position:end], end
