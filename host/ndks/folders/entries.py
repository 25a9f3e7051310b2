# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Entries of the stream: their heads are those of a PAX archive, so that any tar lists and reads the stream.

tarfile writes and reads the blocks of heads; the records of PAX, of which there are three, are read here.
"""

import re
import tarfile
from dataclasses import dataclass

from .errors import refused

BLOCK = 512
END = bytes(2 * BLOCK)
ROOT = "."  # the path of the folder itself, the first entry
PERMISSIONS = 0o777
MOST_RECORDS = 1 << 16  # bytes

_NANO = 10**9
_SIZE_FIELD = slice(124, 136)
_FILE, _FOLDER, _RECORDS = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.XHDTYPE
_TIME = re.compile(r"(-?)(\d{1,12})(?:\.(\d{9}))?")
_OCTAL = re.compile(rb"[0-7]{11}[ \0]")
_SIZE = re.compile(r"\d{1,18}")
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
    """Return the number of zeros behind a content of so many bytes."""
    return -size % BLOCK


def head_of(entry: Entry) -> bytes:
    """Return the blocks before the content of an entry."""
    info = tarfile.TarInfo(entry.path)
    info.type = _FOLDER if entry.is_folder else _FILE
    info.mode = entry.mode
    info.size = entry.size
    whole, part = divmod(abs(entry.time), _NANO)
    if entry.time < 0 or part:
        info.pax_headers = {"mtime": f"{'-' if entry.time < 0 else ''}{whole}.{part:09d}"}
    else:
        info.mtime = whole
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def size_of_records(block: bytes) -> int | None:
    """Return the size of the PAX records that this block announces, or None for the head of an entry. FolderError."""
    info = _info(block)
    if info.type != _RECORDS:
        return None
    if not (0 < info.size <= MOST_RECORDS and _OCTAL.fullmatch(block[_SIZE_FIELD])):
        raise refused("the head of an entry is too large")
    return info.size


def known_size(head: bytes) -> int:
    """Return what `size_of_records` has returned for the first block of a head; reading it again takes long."""
    return int(head[_SIZE_FIELD].strip(b" \0"), 8)


def entry_of(block: bytes, records: bytes) -> Entry:
    """Return the entry of a head with these PAX records, b"": none. FolderError."""
    info, given = _info(block), _records(records)
    if info.type not in (_FILE, _FOLDER) or info.linkname:
        raise refused("an entry is neither a file nor a folder", info.name)
    path = given.get("path", info.name)
    if info.type == _FOLDER:
        path = path.removesuffix("/")
    size = int(_matched(_SIZE, given["size"])[0]) if "size" in given else info.size
    time = _time(given["mtime"]) if "mtime" in given else int(info.mtime) * _NANO
    if info.mode & ~PERMISSIONS or size < 0 or (info.type == _FOLDER and size):
        raise refused("an entry has an impossible mode or size", path)
    return Entry(path, info.type == _FOLDER, info.mode, time, size)


def _info(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.TarError, UnicodeDecodeError, ValueError):
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


def _time(text: str) -> int:
    sign, whole, part = _matched(_TIME, text).groups()
    time = int(whole) * _NANO + int(part or 0)
    return -time if sign else time


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if not found:
        raise refused("the head of an entry is damaged")
    return found
