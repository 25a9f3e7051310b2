# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Names in directories of a FAT volume: short 8.3 ones in capitals, and before them long ones (VFAT)."""

import re
import struct
from collections.abc import Container, Iterator

ENTRY = 32  # bytes of an entry of a directory
LONG = 0x0F  # attribute of an entry with a part of a long name
_LAST = 0x40  # in the number of the first such entry, which has the end of the name
_PART = 13  # UTF-16 code units in an entry
_LAYOUT = struct.Struct("<B10sBBB12sH4s")  # number, name, attribute, type, checksum, name, cluster, name
_LONGEST = 255
_SHORT = re.compile(r"[A-Z0-9!#$%&'()@^_`{}~-]{1,8}(\.[A-Z0-9!#$%&'()@^_`{}~-]{1,3})?")
_FORBIDDEN = re.compile(r'[\x00-\x1f"*/:<>?\\|\x7f]|[ .]$|^ ')
_LOWER_BODY, _LOWER_EXTENSION = 0x08, 0x10  # flags of Windows NT for short names in lower case


class BadName(ValueError):
    """FAT does not permit this name."""


def named_entries(name: str, taken: Container[bytes]) -> tuple[bytes, bytes]:
    """Return a short name of 11 bytes, none of `taken`, and the entries of the long name, b"" if none is needed.

    BadName.
    """
    units = name.encode("utf-16-le", "surrogatepass")
    if _FORBIDDEN.search(name) or not 0 < len(units) <= 2 * _LONGEST:
        raise BadName(f"a FAT drive permits no file named {name[:40]!r}")
    if _SHORT.fullmatch(name):
        body, _, extension = name.partition(".")
        return f"{body:8}{extension:3}".encode(), b""
    short = next(short for short in _short_names(name) if short not in taken)
    return short, b"".join(_long_entries(units, _checksum(short)))


def _short_names(name: str) -> Iterator[bytes]:
    body, dot, extension = name.lstrip(".").upper().rpartition(".")
    if not dot:
        body, extension = extension, ""
    body, extension = (re.sub(r"[^A-Z0-9_-]", "_", part) for part in (body, extension))
    for number in range(1, 1_000_000):
        tail = f"~{number}"
        yield f"{body[: 8 - len(tail)] + tail:8}{extension[:3]:3}".encode()


def _long_entries(units: bytes, checksum: int) -> Iterator[bytes]:
    """Yield the entries as they stand in the directory: the end of the name first."""
    if len(units) % (2 * _PART):
        units += b"\0\0"
    parts = [units[start : start + 2 * _PART].ljust(2 * _PART, b"\xff") for start in range(0, len(units), 2 * _PART)]
    for number, part in reversed(list(enumerate(parts, 1))):
        last = _LAST if number == len(parts) else 0
        yield _LAYOUT.pack(number | last, part[:10], LONG, 0, checksum, part[10:22], 0, part[22:])


class LongName:
    """Gathers the long name of the next short one, from the entries before it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._checksum = -1

    def add(self, entry: bytes) -> None:
        number, first, _, _, checksum, second, _, third = _LAYOUT.unpack(entry)
        if number & _LAST or checksum != self._checksum:
            self._parts, self._checksum = [], checksum
        self._parts.insert(0, first + second + third)

    def take(self, entry: bytes) -> str:
        """Return the name of a file from its entry, and forget the long one."""
        parts, self._parts = b"".join(self._parts), []
        if parts and self._checksum == _checksum(entry[:11]):
            return parts.decode("utf-16-le", "replace").partition("\0")[0].rstrip("\uffff")
        return _short_name(entry)


def _short_name(entry: bytes) -> str:
    raw = b"\xe5" + entry[1:11] if entry[0] == 0x05 else entry[:11]
    body, extension = raw[:8].decode("cp437").rstrip(), raw[8:].decode("cp437").rstrip()
    body = body.lower() if entry[12] & _LOWER_BODY else body
    extension = extension.lower() if entry[12] & _LOWER_EXTENSION else extension
    return f"{body}.{extension}" if extension else body


def _checksum(short: bytes) -> int:
    total = 0
    for byte in short:
        total = ((total >> 1 | total << 7) + byte) & 0xFF
    return total
