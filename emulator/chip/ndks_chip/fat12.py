# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The drive of a board as bytes: a FAT12 volume like the one that CircuitPython makes on a blank Pico.

There is a FAT library on PyPI, pyfatfs. It cannot be imported beside a current setuptools, which no longer has
pkg_resources, and its mkfs leaves what was in the root directory and writes another geometry.
"""

import struct
from collections.abc import Iterator
from typing import TypeAlias

from .fat_names import ENTRY, LONG, BadName, LongName, named_entries

Tree: TypeAlias = "dict[str, bytes | Tree]"  # the content of each file, the tree of each directory

DRIVE_SIZE = 1 << 20
SECTOR = 512  # a cluster is one sector
_SECTORS = DRIVE_SIZE // SECTOR
_RESERVED, _FAT_SECTORS, _ROOT_ENTRIES = 1, 7, 512
_FAT_AT = _RESERVED * SECTOR
_ROOT_AT = _FAT_AT + _FAT_SECTORS * SECTOR
_DATA_AT = _ROOT_AT + _ROOT_ENTRIES * ENTRY
_CLUSTERS = (DRIVE_SIZE - _DATA_AT) // SECTOR
_FIRST, _END = 2, 0xFFF  # number of the first cluster; mark of the last one of a chain
_DIRECTORY, _VOLUME = 0x10, 0x08  # attributes
_DELETED = 0xE5
_LABEL = b"CIRCUITPY  "
_DATE = (2020 - 1980) << 9 | 1 << 5 | 1  # of all files: CircuitPython has no clock either

_BOOT = struct.Struct("<3s8sHBHBHHBHHHIIBBBI11s8s")
_ENTRY = struct.Struct("<11sB8xHHHHI")  # name, attributes, high cluster, time, date, cluster, size


class BadDrive(ValueError):
    """The bytes are not such a volume, or are a damaged one."""


class DriveFull(ValueError):
    """The files do not fit on the drive."""


def new_drive() -> Tree:
    """Return what CircuitPython puts on a new drive, except its sample program."""
    return {
        ".fseventsd": {"no_log": b""},
        ".metadata_never_index": b"",
        ".Trashes": b"",
        ".Trash-1000": b"",
        "sd": {"placeholder.txt": b"SD cards mounted at /sd will hide this file from Python.\n"},
        "settings.toml": b"",
        "lib": {},
    }


def make_drive(tree: Tree, serial_number: int = 0x4E444B53) -> bytes:
    """Return a volume with these files. DriveFull, BadName."""
    return _Writer().volume(tree, serial_number)


class _Writer:
    def __init__(self) -> None:
        self._fat = [0xFF8, _END]
        self._data = bytearray()

    def volume(self, tree: Tree, serial_number: int) -> bytes:
        label = _ENTRY.pack(_LABEL, _VOLUME, 0, 0, _DATE, 0, 0)
        root = label + self._entries(tree, 0)
        if len(root) > _ROOT_ENTRIES * ENTRY:
            raise DriveFull(f"the root directory of the drive has room for {_ROOT_ENTRIES} entries only")
        fat = self._fat + [0] * (_FIRST + _CLUSTERS - len(self._fat))
        start = _boot_sector(serial_number) + _packed(fat).ljust(_FAT_SECTORS * SECTOR, b"\0")
        return (start + root.ljust(_ROOT_ENTRIES * ENTRY, b"\0") + self._data).ljust(DRIVE_SIZE, b"\0")

    def _entries(self, tree: Tree, own: int) -> bytes:
        """Store what lies in a directory, whose first cluster is `own`, and return its entries."""
        taken: set[bytes] = set()
        names: set[str] = set()
        rows: list[bytes] = []
        for name, content in tree.items():
            if name.upper() in names:
                raise BadName(f"a FAT drive permits no two files named {name!r}, in small letters or capitals")
            names.add(name.upper())
            short, long_name = named_entries(name, taken)
            taken.add(short)
            is_file = isinstance(content, bytes)
            cluster = self._store(content) if is_file else self._directory(content, own)
            size = len(content) if is_file else 0
            rows.append(long_name + _ENTRY.pack(short, 0 if is_file else _DIRECTORY, 0, 0, _DATE, cluster, size))
        return b"".join(rows)

    def _directory(self, tree: Tree, parent: int) -> int:
        size = 2 * ENTRY  # . and ..
        for name in tree:
            size += len(named_entries(name, ())[1]) + ENTRY
        own = self._store(bytes(size))
        dots = (_ENTRY.pack(f"{name:11}".encode(), _DIRECTORY, 0, 0, _DATE, to, 0) for name, to in _dots(own, parent))
        entries = b"".join(dots) + self._entries(tree, own)
        at = (own - _FIRST) * SECTOR
        self._data[at : at + len(entries)] = entries
        return own

    def _store(self, content: bytes) -> int:
        """Store bytes in the next clusters, and return the first one; 0 if there are no bytes."""
        count, first = -(-len(content) // SECTOR), len(self._fat)
        if count > _FIRST + _CLUSTERS - first:
            raise DriveFull(f"the files need more than the {_CLUSTERS * SECTOR // 1024} KB of the drive")
        if not count:
            return 0
        self._fat += [*range(first + 1, first + count), _END]
        self._data += content.ljust(count * SECTOR, b"\0")
        return first


def _dots(own: int, parent: int) -> tuple[tuple[str, int], ...]:
    return (".", own), ("..", parent)


def _boot_sector(serial_number: int) -> bytes:
    geometry = (SECTOR, 1, _RESERVED, 1, _ROOT_ENTRIES, _SECTORS, 0xF8, _FAT_SECTORS, 63, 255)
    end = (1, 0, 0x80, 0, 0x29, serial_number, _LABEL, b"FAT     ")  # 1 sector before it: the partition table
    return _BOOT.pack(b"\xeb\xfe\x90", b"MSDOS5.0", *geometry, *end).ljust(SECTOR - 2, b"\0") + b"\x55\xaa"


def _packed(fat: list[int]) -> bytes:
    pairs = zip(fat[::2], [*fat[1::2], 0], strict=False)
    return b"".join((low | high << 12).to_bytes(3, "little") for low, high in pairs)


def read_drive(volume: bytes) -> Tree:
    """Return the files of a volume of this geometry. BadDrive."""
    if volume[: _BOOT.size][11:24] != _boot_sector(0)[11:24] or volume[510:512] != b"\x55\xaa":
        raise BadDrive("this is no drive of CircuitPython on a Pico")
    return _Reader(volume).tree(volume[_ROOT_AT:_DATA_AT])


class _Reader:
    def __init__(self, volume: bytes) -> None:
        self._volume = volume
        self._seen: set[int] = set()  # clusters; each belongs to one file

    def tree(self, directory: bytes) -> Tree:
        found: Tree = {}
        long_name = LongName()
        for entry in _rows(directory):
            if entry[11] == LONG:
                long_name.add(entry)
                continue
            name = long_name.take(entry)
            _, attributes, _, _, _, cluster, size = _ENTRY.unpack(entry)
            if attributes & _VOLUME or name in (".", ".."):
                continue
            content = self._content(cluster)
            if len(content) < size:
                raise BadDrive(f"the drive is damaged: the end of {name!r} is missing")
            found[name] = self.tree(content) if attributes & _DIRECTORY else content[:size]
        return found

    def _content(self, cluster: int) -> bytes:
        content = bytearray()
        while cluster and cluster < 0xFF8:
            if not _FIRST <= cluster < _FIRST + _CLUSTERS or cluster in self._seen:
                raise BadDrive("the drive is damaged: two files claim the same sector, or one that does not exist")
            self._seen.add(cluster)
            at = _DATA_AT + (cluster - _FIRST) * SECTOR
            content += self._volume[at : at + SECTOR]
            cluster = self._following(cluster)
        return bytes(content)

    def _following(self, cluster: int) -> int:
        at = _FAT_AT + cluster * 3 // 2
        pair = int.from_bytes(self._volume[at : at + 2], "little")
        return pair >> 4 if cluster % 2 else pair & 0xFFF


def _rows(directory: bytes) -> Iterator[bytes]:
    for at in range(0, len(directory), ENTRY):
        entry = directory[at : at + ENTRY]
        if entry[0] == 0:
            return
        if entry[0] != _DELETED:
            yield entry
