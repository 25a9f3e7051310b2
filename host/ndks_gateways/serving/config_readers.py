# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Readers of single values of a configuration: each takes what TOML gave, and says in a ValueError what is wrong."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

_LONGEST_NAME = 255  # bytes: the size of a name is one byte in key ids
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:\[\]\s]+)):(\d{1,5})")

Reader = Callable[[Any, Path], Any]  # the value, and the directory of the file


class Address(NamedTuple):
    """A host and a port, as HOST:PORT or [IPv6]:PORT."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def text(value: Any, _directory: Path) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("must be text in quotes, on one line")
    return value


def name(value: Any, directory: Path) -> str:
    """Return the name of an SAE, a KME or a system."""
    found = text(value, directory)
    if len(found.encode()) > _LONGEST_NAME:
        raise ValueError(f"must have at most {_LONGEST_NAME} bytes")
    return found


def path(value: Any, directory: Path) -> Path:
    """Return a path; a relative one begins at the configuration's directory."""
    return directory / Path(text(value, directory)).expanduser()


def address(value: Any, _directory: Path) -> Address:
    found = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if not found or not 0 <= int(found[3]) <= 0xFFFF:
        raise ValueError('must be HOST:PORT, such as "192.0.2.1:8443" or "[::]:8443"')
    return Address(found[1] or found[2], int(found[3]))


def whole(low: int, high: int, *, step: int = 1) -> Reader:
    """Return a reader of whole numbers from `low` to `high`."""
    multiple = f", a multiple of {step}" if step > 1 else ""

    def read(value: Any, _directory: Path) -> int:
        if type(value) is not int or not low <= value <= high or value % step:  # True is an int
            raise ValueError(f"must be a whole number from {low} to {high}{multiple}")
        return value

    return read


def one_of(*choices: str) -> Reader:
    def read(value: Any, _directory: Path) -> str:
        if value not in choices:
            raise ValueError(f"must be {' or '.join(map(repr, choices))}")
        return value

    return read


def names(value: Any, directory: Path) -> tuple[str, ...]:
    """Return a list of different names."""
    if not isinstance(value, list):
        raise ValueError('must be a list of names, such as ["SAE_A"]')
    found = tuple(name(each, directory) for each in cast("list[Any]", value))
    twice = sorted({each for each in found if found.count(each) > 1})
    if twice:
        raise ValueError(f"has {', '.join(twice)} twice")
    return found


def some_names(value: Any, directory: Path) -> tuple[str, ...]:
    """Return a list of different names that is not empty."""
    found = names(value, directory)
    if not found:
        raise ValueError("needs at least one name")
    return found
