# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fields of payloads, as texts of `struct` types with two more: ">8sIB*" (PROTOCOL.md section 5).

B H I Q   unsigned integers of 8, 16, 32, 64 bits, big-endian     8s   that many bytes
t         text: u8 size, then UTF-8                                *    all remaining bytes, last field only
"""

import struct

try:
    from typing import Any
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def unpack(fields: str, payload: "bytes | bytearray | memoryview", allow_more: bool = False) -> "tuple[Any, ...]":
    """Return the values of the fields. ValueError: the payload does not match them.

    `allow_more` ignores bytes after the last field. The remaining bytes are a slice of the payload, which shares the
    memory of a memoryview.
    """
    if "t" in fields:
        return _unpack_with_texts(fields, payload, allow_more)
    has_rest = "*" in fields
    if has_rest:
        fields = fields[:-1]
    size = struct.calcsize(fields)
    if len(payload) < size:
        raise ValueError("payload too short")
    values = struct.unpack_from(fields, payload)
    if has_rest:
        return values + (payload[size:],)
    if len(payload) > size and not allow_more:
        raise ValueError("bytes after the last field")
    return values


def pack_into(view: memoryview, fields: str, values: "tuple[Any, ...]") -> int:
    """Write the values to the start of `view` and return their size.

    ValueError, or an error of `struct`: the values do not match the fields, or `view` is too small.
    """
    if "t" in fields:
        fields, values = _sized(fields, values)
    rest = b""
    if "*" in fields:
        fields, values, rest = fields[:-1], values[:-1], values[-1]
    size = struct.calcsize(fields)
    end = size + len(rest)
    if end > len(view):
        raise ValueError("payload too long")
    struct.pack_into(fields, view, 0, *values)
    # MicroPython's struct lets integers overflow and pads or cuts bytes, without an exception.
    if struct.unpack_from(fields, view) != values:
        raise ValueError("values that do not fit their fields")
    view[size:end] = rest
    return end


def pack(fields: str, *values: "Any") -> bytes:
    """Return the payload for `values`. Errors as `pack_into`."""
    if "t" in fields:
        fields, values = _sized(fields, values)
    size = struct.calcsize(fields.rstrip("*")) + (len(values[-1]) if "*" in fields and values else 0)
    payload = bytearray(size)
    pack_into(memoryview(payload), fields, values)
    return bytes(payload)


def _sized(fields: str, values: "tuple[Any, ...]") -> "tuple[str, tuple[Any, ...]]":
    """Replace each text by its size and its bytes."""
    sized: "list[Any]" = list(values)
    while "t" in fields:
        before, _, after = fields.partition("t")
        place = _count(before)
        text = sized[place].encode()
        fields = "%sB%ds%s" % (before, len(text), after)
        sized = sized[:place] + [len(text), text] + sized[place + 1 :]
    return fields, tuple(sized)


def _unpack_with_texts(fields: str, payload: "bytes | bytearray | memoryview", allow_more: bool) -> "tuple[Any, ...]":
    places: list[int] = []
    while "t" in fields:
        before, _, after = fields.partition("t")
        places.append(_count(before))
        at = struct.calcsize(before)
        if at >= len(payload):
            raise ValueError("payload too short")
        fields = "%sx%ds%s" % (before, payload[at], after)
    values = list(unpack(fields, payload, allow_more))
    for place in places:
        try:
            values[place] = values[place].decode()
        except UnicodeError:
            raise ValueError("text is not UTF-8") from None
    return tuple(values)


def _count(fields: str) -> int:
    """Return the number of values of these `struct` types."""
    return len([letter for letter in fields if letter in "BHIQs"])
