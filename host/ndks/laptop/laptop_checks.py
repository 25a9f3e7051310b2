# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""This laptop's book of checks, for capsules in files: an SQLite file of mode 0600 beside its bindings."""

import contextlib
from collections.abc import Generator
from hashlib import sha256

from ndks_protocol.wire import WIRE_HEADER_SIZE

from ..system_errors import file_errors
from .check_book import SCHEMA, CheckBook
from .database import Database, Kind, statements_of
from .homes import home

NAME = "checks.sqlite"
_KIND = Kind(
    "book of checks",
    0x4E444B43,  # "NDKC"
    1,
    statements_of(SCHEMA),
    "free some space; if the file is damaged, move it away: checks of before are not known then",
    wait=10.0,
)
_NAME_SIZE = 32  # hexadecimal digits of a message's name


def name_of(header: bytes) -> str:
    """Return the name of the message whose capsule has this header."""
    return sha256(header[:WIRE_HEADER_SIZE]).hexdigest()[:_NAME_SIZE]


@contextlib.contextmanager
def laptop_tables() -> Generator[tuple[Database, CheckBook]]:
    """Open this user's book of checks, and make it if it is not there. FileError."""
    path = home() / NAME
    with file_errors():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    tables = Database(path, _KIND)  # any number of processes may have it open
    try:
        yield tables, CheckBook(tables)
    finally:
        tables.close()


def keep_check(header: bytes, value: bytes) -> None:
    """Keep the check value of a capsule that was sealed here, where there is one. FileError."""
    if value:
        with laptop_tables() as (tables, book), tables.step():
            book.keep(name_of(header), value)
