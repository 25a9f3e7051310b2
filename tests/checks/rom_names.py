#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""List the names that an image of CircuitPython for the RP2040 has in ROM, which names of the firmware become.

python tests/checks/rom_names.py FIRMWARE.uf2            write host/ndks/board/release/rom_names.txt
python tests/checks/rom_names.py FIRMWARE.uf2 --check    say whether the list is that of this image

The names are in two tables one after the other (py/qstr.c, qstr_pool_t), each a record of 32-bit words

    previous table, names before (bit 31: sorted), room, count, hashes, lengths, addresses of the names ...

where the hashes (one byte each, of h = 33 h XOR c from 5381 on, never 0) and the lengths are arrays of bytes.
"""

import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

LIST = Path(__file__).parents[2] / "host/ndks/board/release/rom_names.txt"
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BLOCK, _DATA, _FLASH = 512, 32, 0x10000000
_MAGIC = b"UF2\n\x57\x51\x5d\x9e"
_HEADER = 24
_MOST = 10000


class Image:
    """The flash of a board after a UF2 file was copied to it."""

    def __init__(self, uf2: bytes) -> None:
        blocks = [uf2[at : at + _BLOCK] for at in range(0, len(uf2), _BLOCK)]
        if not blocks or not all(block.startswith(_MAGIC) for block in blocks):
            raise SystemExit("this is not a UF2 file")
        places = {struct.unpack_from("<I", block, 12)[0]: struct.unpack_from("<I", block, 16)[0] for block in blocks}
        self._flash = bytearray(max(place + size for place, size in places.items()) - _FLASH)
        for block in blocks:
            place, size = struct.unpack_from("<2I", block, 12)
            self._flash[place - _FLASH : place - _FLASH + size] = block[_DATA : _DATA + size]

    def __len__(self) -> int:
        return len(self._flash)

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of flash; fewer outside of it."""
        at = address - _FLASH
        return bytes(self._flash[at : at + size]) if at >= 0 else b""

    def words(self, address: int, count: int) -> tuple[int, ...]:
        found = self.read(address, 4 * count)
        return struct.unpack(f"<{len(found) // 4}I", found[: len(found) & ~3])


def names(image: Image) -> Iterator[str]:
    """Yield the names in the tables of an image."""
    tables = [table for at in range(_FLASH, _FLASH + len(image), 4) if (table := _table(image, at))]
    if not tables:
        raise SystemExit("no table of names was found in this image")
    for table in tables:
        yield from table


def _table(image: Image, address: int) -> list[str]:
    """Return the names of a table; none if there is no table at this address."""
    header = image.words(address, _HEADER // 4)
    if len(header) < _HEADER // 4:
        return []
    previous, before, room, count, hashes, lengths = header
    if not 0 < count < _MOST or not 0 < room < _MOST or (previous == 0) != (before == 0):
        return []
    rows = list(
        zip(image.words(address + _HEADER, count), image.read(hashes, count), image.read(lengths, count), strict=False)
    )
    if len(rows) < count or not all(_is_right(image.read(at, size + 1), value) for at, value, size in rows):
        return []
    return [image.read(at, size).decode() for at, _, size in rows]


def _is_right(text: bytes, expected: int) -> bool:
    if text == b"\0":
        return True  # the empty name, and the place of no name
    value = 5381
    for byte in text[:-1]:
        value = (value * 33 ^ byte) & 0xFFFFFFFF
    return text.endswith(b"\0") and (value & 0xFF or 1) == expected


def main(path: str, check: str = "") -> int:
    found = {name for name in names(Image(Path(path).read_bytes())) if _IDENTIFIER.fullmatch(name)}
    text = "".join(f"{name}\n" for name in sorted(found))
    if check:
        is_same = text == LIST.read_text(encoding="utf-8")
        print(f"{LIST.name} is {'' if is_same else 'not '}the list of this image")
        return 0 if is_same else 1
    LIST.write_text(text, encoding="utf-8")
    print(f"{len(found)} names")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
