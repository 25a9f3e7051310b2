# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A ledger in a file of SQLite, for the servers of one machine."""

import contextlib
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from ndks.exceptions import FileError
from ndks.laptop.database import Database, Kind

from .tables import LedgerAway

_KIND = Kind(
    "ledger",
    0x4E444B4C,  # "NDKL"
    1,
    (),  # the tables are made as in other databases
    "free some space; if the file is damaged, move it away, then: ndks serve ledger --lost",
    pragmas=["journal_mode = WAL", "synchronous = FULL"],
    wait=5.0,
)


class SqliteConnection:
    """A connection to the file, which is made if it is missing. LedgerAway."""

    collate = ""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._base = Database(path, _KIND)
        except FileError as error:
            raise LedgerAway(str(error)) from None
        self._file = self._identity()

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._base.read(statement, *values)
        except FileError as error:
            raise LedgerAway(str(error)) from None

    @contextlib.contextmanager
    def step(self) -> Generator[None]:
        try:
            with self._base.step():
                yield
        except FileError as error:
            raise LedgerAway(str(error)) from None

    def has_tables(self) -> bool:
        return bool(self.execute("SELECT 1 FROM sqlite_schema WHERE name = 'ledger'"))

    def is_usable(self) -> bool:
        return self._identity() == self._file  # else a copy was put in its place

    def close(self) -> None:
        self._base.close()

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
