# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What requests to join and packages have in common: JSON files that people compare by six words (PROTOCOL.md 8)."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from .. import strict_json
from ..exceptions import FileError, JoiningFileError, UsageError
from ..files import no_such_file, read_small
from ..refusals import UPGRADE_OLDER
from ..system_errors import file_errors
from ..whole_file import write_new
from ..word_list import check_spoken_words, spoken_words

FORMAT = 1
LARGEST = 1 << 25  # bytes of a file of any kind
_SERIAL_NUMBER = re.compile("[0-9A-F]{16}")


@dataclass(frozen=True)
class JoiningFile:
    """A request or a package. `content` is the whole file: its words are the same wherever it has gone unchanged."""

    serial_number: str
    date: str
    network: str
    content: bytes = field(repr=False, compare=False)

    MARK: ClassVar[str]  # name of the field with the version of the format
    VERSION: ClassVar[int] = FORMAT
    LARGEST: ClassVar[int] = 1 << 20  # bytes of a file
    FIELDS: ClassVar[frozenset[str]]
    WHAT: ClassVar[str]

    @property
    def words(self) -> str:
        """Six words of the file's SHA-256, to be compared by voice."""
        return spoken_words(self.content)

    def check_words(self, heard: str) -> None:
        """Compare the words that the maker of the file said. UsageError: they are not six words; WordsDiffer."""
        check_spoken_words(self.content, heard, f"this {self.WHAT}")

    def save(self, path: Path | str) -> None:
        """Write the file with mode 0600. FileError, also if it exists."""
        with file_errors():
            write_new(Path(path), self.content)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a file. FileError; JoiningFileError: it is damaged, of another kind or of another version."""
        return cls.parsed(content_of(Path(path), cls.LARGEST), str(path))

    @classmethod
    def parsed(cls, content: bytes, name: str) -> Self:
        """Return what the content of a file says; `name` is for messages. JoiningFileError."""
        try:
            values: Any = strict_json.loads(content)
        except (ValueError, RecursionError):
            raise cls._damaged(name, "it is not JSON, was cut short, or repeats a field") from None
        if not isinstance(values, dict) or cls.MARK not in values:
            raise JoiningFileError(f"{name} is no {cls.WHAT}", "check the name")
        values = cast(dict[str, Any], values)
        if not strict_json.is_version(values[cls.MARK], cls.VERSION):
            raise JoiningFileError(f"{name} is a {cls.WHAT} of another version", UPGRADE_OLDER)
        if values.keys() != cls.FIELDS:
            raise cls._damaged(name, "it has unknown fields, or lacks some")
        try:
            return cls._from_values(values, content)
        except UsageError as error:
            raise cls._damaged(name, str(error)) from None
        except (TypeError, ValueError):
            raise cls._damaged(name, "a field has a wrong type or value") from None

    @classmethod
    def _from_values(cls, values: dict[str, Any], content: bytes) -> Self:
        """Return what the fields say. UsageError, TypeError, ValueError."""
        raise NotImplementedError

    @classmethod
    def _damaged(cls, name: str, why: str) -> JoiningFileError:
        return JoiningFileError(f"{name} is damaged: {why}", f"have the {cls.WHAT} sent again")


def content_of(path: Path, largest: int) -> bytes:
    """Return the content of a file, or of a pipe, which can be read only once. FileError."""
    with file_errors():
        try:
            return read_small(path, largest)
        except FileNotFoundError:
            raise no_such_file(path) from None


def encoded(values: dict[str, object]) -> bytes:
    """Return the content of a file with these fields and the date."""
    mark, *others = values
    dated = {mark: values[mark], "date": datetime.now(UTC).isoformat(timespec="seconds")}
    return (json.dumps(dated | {name: values[name] for name in others}, indent=2) + "\n").encode()


def checked_date(value: Any) -> str:
    """Return a date and time of ISO 8601, as Python writes it. TypeError, ValueError."""
    if datetime.fromisoformat(value).isoformat() != value:
        raise ValueError
    return value


def checked_serial_number(value: Any) -> str:
    """Return a serial number of 16 upper-case hex digits. TypeError, ValueError."""
    if not _SERIAL_NUMBER.fullmatch(value):
        raise ValueError
    return value


def checked_bytes(value: Any) -> bytes:
    """Return the bytes of lower-case hex digits. TypeError, ValueError."""
    data = bytes.fromhex(value)
    if data.hex() != value:
        raise ValueError
    return data


def version_in(path: Path, mark: str) -> int | None:
    """Return the version of a file of the kind with this mark; None for any other, a damaged one, or a pipe."""
    try:
        return version_of(read_small(path, LARGEST), mark) if path.is_file() else None
    except (FileError, OSError):
        return None


def version_of(content: bytes, mark: str) -> int | None:
    """Return the version in the content of a file of the kind with this mark; None for any other, or a damaged one."""
    try:
        values: Any = strict_json.loads(content)
    except (ValueError, RecursionError):
        return None
    version = cast(dict[str, Any], values).get(mark) if isinstance(values, dict) else None
    return version if type(version) is int else None  # not true or 1.0


def starts_as(path: Path, mark: str) -> bool:
    """Return whether a file is, by its content, of the kind with this mark, even if damaged."""
    try:
        return path.is_file() and f'"{mark}"'.encode() in read_small(path, LARGEST)
    except (FileError, OSError):
        return False
