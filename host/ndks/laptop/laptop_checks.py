# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""This laptop's book of checks: of capsules in files, beside its bindings, in an SQLite file of mode 0600."""

import contextlib
import os
import sqlite3
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path
from typing import Any

from ndks_protocol.wire import WIRE_HEADER_SIZE

from ..exceptions import FileError
from ..files import refuse_public
from ..system_errors import file_errors
from .check_book import SCHEMA, CheckBook, statements_of
from .homes import home

NAME = "checks.sqlite"
_WAIT = 10.0  # seconds for another process that writes
_NAME_SIZE = 32  # hexadecimal digits of a message's name


def name_of(header: bytes) -> str:
    """Return the name of the message whose capsule has this header."""
    return sha256(header[:WIRE_HEADER_SIZE]).hexdigest()[:_NAME_SIZE]


class LaptopTables:
    """The tables in the file. Any number of processes may have it open. FileError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with file_errors():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            except FileExistsError:
                refuse_public(path)
        with self._errors():
            self._base = sqlite3.connect(path, isolation_level=None, timeout=_WAIT)
        with self.step():
            if not self.read("SELECT 1 FROM sqlite_schema"):
                for statement in statements_of(SCHEMA):
                    self.write(statement)

    def close(self) -> None:
        self._base.close()

    @contextlib.contextmanager
    def step(self) -> Generator[None]:
        """Do all writes of the block, or none of them."""
        self.write("BEGIN IMMEDIATE")
        try:
            yield
            self.write("COMMIT")
        except BaseException:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise

    def read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._errors():
            return self._base.execute(statement, values).fetchall()

    def write(self, statement: str, *values: object) -> None:
        self.read(statement, *values)

    @contextlib.contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            advice = "free some space; if the file is damaged, move it away: checks of before are not known then"
            raise FileError(f"{self._path} cannot be used: {error}", advice) from None


@contextlib.contextmanager
def laptop_tables() -> Generator[tuple[LaptopTables, CheckBook]]:
    """Open this user's book of checks, and make it if it is not there. FileError."""
    tables = LaptopTables(home() / NAME)
    try:
        yield tables, CheckBook(tables)
    finally:
        tables.close()


def keep_check(header: bytes, value: bytes) -> None:
    """Keep the check value of a capsule that was sealed here, where there is one. FileError."""
    if value:
        with laptop_tables() as (tables, book), tables.step():
            book.keep(name_of(header), value)
