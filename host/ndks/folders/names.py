# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Names in a folder: which may be unpacked, which are reported, and in which order they come."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from .errors import refused
from .rules import FOREIGN_NAME, MOST_LEVELS, MOST_NAME, SAME_NAME

FEW = 20_000  # names of a folder that are sorted in memory; more are sorted on the disk
Note = Callable[[str, str], object]  # called with kind and path
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[1-9\xb9\xb2\xb3]) *(\..*)?", re.IGNORECASE | re.DOTALL
)
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"\\|?*]|[ .]\Z')


def parts_of(path: str) -> list[str]:
    """Return the parts of a path in the stream. FolderError unless it leads down, to a place that a folder can have."""
    parts = path.split("/")
    if len(parts) > MOST_LEVELS:
        raise refused("a folder lies too deep", path)
    for part in parts:
        if part in ("", ".", "..") or "\0" in part or len(part.encode()) > MOST_NAME:
            raise refused("a name leads elsewhere, or no file can have it", path)
    return parts


def is_foreign(name: str) -> bool:
    """Whether Windows cannot have a file of this name."""
    return bool(_FORBIDDEN.search(name) or _RESERVED.fullmatch(name))


def sorted_names(directory: int, path: str, note: Note) -> Iterator[str]:
    """Yield the names in an open directory, sorted by their bytes; note those that others cannot have. OSError.

    All is read and noted when the first name is asked for.
    """
    names: list[str] = []
    with os.scandir(directory) as found:
        for each in found:
            names.append(each.name)
            if len(names) > FEW:
                break
        else:
            names.sort()
            yield from _in_memory(names, path, note)
            return
        yield from _sorted_on_disk(names, found, path, note)


def _in_memory(names: list[str], path: str, note: Note) -> list[str]:
    _note_same(sorted((_folded(name), name) for name in names), path, note)
    for name in filter(is_foreign, names):
        note(FOREIGN_NAME, path + name)
    return names


def _sorted_on_disk(names: list[str], more: "Iterator[os.DirEntry[str]]", path: str, note: Note) -> Iterator[str]:
    import sqlite3  # here, because it is slow to import, and needed for large folders only

    store = sqlite3.connect("")  # a temporary file without a name
    try:
        store.execute("create table names(name blob primary key, folded blob) without rowid")
        add = "insert into names values(?, ?)"
        store.executemany(add, ((os.fsencode(name), _folded(name)) for name in names))
        names.clear()
        store.executemany(add, ((os.fsencode(each.name), _folded(each.name)) for each in more))
        rows = store.execute("select folded, name from names order by folded, name")
        _note_same(((folded, os.fsdecode(name)) for folded, name in rows), path, note)
        for (name,) in store.execute("select name from names order by name"):
            text = os.fsdecode(name)
            if is_foreign(text):
                note(FOREIGN_NAME, path + text)
            yield text
    finally:
        store.close()


def _note_same(names: Iterable[tuple[bytes, str]], path: str, note: Note) -> None:
    """Note each name that follows another one with the same folded form."""
    before = b""
    for folded, name in names:
        if folded == before:
            note(SAME_NAME, path + name)
        before = folded


def _folded(name: str) -> bytes:
    if name.isascii():
        return name.lower().encode()
    return os.fsencode(unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()))
