# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Entries of the stream: their heads are those of a PAX archive, so that any tar lists and reads the stream.

Each entry has one head only, the one that `head_of` makes: any other that is read is refused.
"""

import re
from dataclasses import dataclass

from .errors import refused

BLOCK = 512
END = bytes(2 * BLOCK)
ROOT = "."  # the path of the folder itself, the first entry
PERMISSIONS = 0o777
MOST_RECORDS = 1 << 16  # bytes
END_OF_TIME = 10**21  # ns from 1970, to either side: seconds have 12 digits

_NANO = 10**9
_IN_BLOCK = 8**11  # sizes and seconds below this fit in a block
_LONGEST = 100  # letters of a name in a block
_FILE, _FOLDER, _RECORDS = b"0", b"5", b"x"
_TYPE, _MODE, _SIZE, _TIME = slice(156, 157), slice(100, 107), slice(124, 135), slice(136, 147)
_BEHIND = bytes(_LONGEST) + b"ustar\x0000" + bytes(247)  # the type: no link, no names of owners
_SUM_BEHIND = sum(_BEHIND) + 8 * ord(" ")  # the sum itself counts as blanks
_RECORDS_NAME = b"././@PaxHeader"
_EXACT_TIME = re.compile(r"(-?)(\d{1,12})(?:\.(\d{9}))?")
_DIGITS = re.compile(r"\d{1,18}")
_OCTAL = re.compile(rb"[0-7]{7,11}")
_RECORD = re.compile(rb"(\d{1,6}) (path|size|mtime)=")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder: `path` has parts joined by /, `time` is in nanoseconds since 1970, `size` in bytes."""

    path: str
    is_folder: bool
    mode: int
    time: int
    size: int


def padding(size: int) -> int:
    """Return the number of zeros after a content of `size` bytes."""
    return -size % BLOCK


def head_of(entry: Entry) -> bytes:
    """Return the blocks before the content of an entry."""
    path = f"{entry.path}/" if entry.is_folder else entry.path
    seconds, part = divmod(abs(entry.time), _NANO)
    is_exact, is_far = entry.time < 0 or part > 0, seconds >= _IN_BLOCK
    records = b""
    if is_exact:
        records += _record("mtime", f"{'-' if entry.time < 0 else ''}{seconds}.{part:09d}")
    if len(path) > _LONGEST or not path.isascii():
        records += _record("path", path)
    if entry.size >= _IN_BLOCK:
        records += _record("size", str(entry.size))
    if is_far and not is_exact:
        records += _record("mtime", str(seconds))
    name = path.encode("ascii", "replace")[:_LONGEST]
    size = entry.size if entry.size < _IN_BLOCK else 0
    kind = _FOLDER if entry.is_folder else _FILE
    block = _block(name, entry.mode, size, 0 if is_exact or is_far else seconds, kind)
    if not records:
        return block
    return _block(_RECORDS_NAME, 0, len(records), 0, _RECORDS) + records + bytes(padding(len(records))) + block


def size_of_records(block: bytes) -> int | None:
    """Return the size of the PAX records that this block announces, or None for the head of an entry. FolderError."""
    if block[_TYPE] != _RECORDS:
        return None
    size = _number(block, _SIZE)
    if not 0 < size <= MOST_RECORDS:
        raise refused("the head of an entry is too large")
    return size


def entry_of(head: bytes) -> Entry:
    """Return the entry of a whole head. FolderError."""
    block = head[-BLOCK:]
    size = size_of_records(head[:BLOCK]) or 0
    given = _records(head[BLOCK : BLOCK + size]) if size else {}
    kind = block[_TYPE]
    if kind not in (_FILE, _FOLDER):
        raise refused("an entry is neither a file nor a folder")
    path = given.get("path") or _text(block[:_LONGEST].rstrip(b"\0"))
    if kind == _FOLDER:
        path = path.removesuffix("/")
    mode = _number(block, _MODE)
    size = int(_matched(_DIGITS, given["size"])[0]) if "size" in given else _number(block, _SIZE)
    time = _exact_time(given["mtime"]) if "mtime" in given else _number(block, _TIME) * _NANO
    if mode & ~PERMISSIONS or (kind == _FOLDER and size):
        raise refused("an entry has an impossible mode or size", path)
    entry = Entry(path, kind == _FOLDER, mode, time, size)
    if head_of(entry) != head:
        raise refused("the head of an entry is not as packing makes it", path)
    return entry


def _block(name: bytes, mode: int, size: int, seconds: int, kind: bytes) -> bytes:
    before = b"%b%07o\x000000000\x000000000\x00%011o\x00%011o\x00" % (name.ljust(_LONGEST, b"\0"), mode, size, seconds)
    return b"%b%06o\0 %b%b" % (before, sum(before) + kind[0] + _SUM_BEHIND, kind, _BEHIND)


def _record(name: str, value: str) -> bytes:
    """Return a record, which begins with its own length in bytes."""
    text = f" {name}={value}\n".encode()
    size = len(text) + 1
    while size != len(text) + len(str(size)):
        size = len(text) + len(str(size))
    return str(size).encode() + text


def _number(block: bytes, field: slice) -> int:
    if not _OCTAL.fullmatch(block[field]):
        raise refused("the head of an entry is damaged")
    return int(block[field], 8)


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise refused("the head of an entry is damaged") from None


def _records(text: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    while text:
        begun = _RECORD.match(text)
        size = int(begun[1]) if begun else 0
        if (
            not begun
            or not begun.end() < size <= len(text)
            or text[size - 1] != ord("\n")
            or begun[2].decode() in found
        ):
            raise refused("the head of an entry has other records than path, size and mtime")
        try:
            found[begun[2].decode()] = text[begun.end() : size - 1].decode()
        except UnicodeDecodeError:
            raise refused("a name is not UTF-8") from None
        text = text[size:]
    return found


def _exact_time(text: str) -> int:
    sign, whole, part = _matched(_EXACT_TIME, text).groups()
    time = int(whole) * _NANO + int(part or 0)
    return -time if sign else time


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if not found:
        raise refused("the head of an entry is damaged")
    return found
