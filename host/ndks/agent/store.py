# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent's memory: an SQLite file. Each step of the agent is one transaction, so a crash leaves what was before it.

All writes go through `Store.write`. Tests pass a hook that is told of each statement and commit, and may raise there.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from ..exceptions import FileError
from ..files import refuse_public
from ..laptop import check_book
from ..laptop.check_book import statements_of
from ..system_errors import file_errors

FORMAT = 2
_BEFORE = 1  # had no checks
_MARK = 0x4E444B53  # "NDKS", where SQLite keeps the kind of an application's file
_ADVICE = (
    "free some space, or end the other agent; if the file is damaged, move it away and start anew: a copy of before "
    "would give numbers of messages twice"
)
_CHECKED = "checked"
_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (
    s INTEGER PRIMARY KEY, content INTEGER NOT NULL, data BLOB, capsule BLOB, epoch INTEGER, is_start INTEGER NOT NULL
);
CREATE TABLE senders (
    lane INTEGER PRIMARY KEY, first INTEGER NOT NULL, reported INTEGER NOT NULL, top INTEGER NOT NULL,
    starts BLOB NOT NULL
);
CREATE TABLE spans (
    lane INTEGER, kind INTEGER, first INTEGER, last INTEGER NOT NULL, PRIMARY KEY (lane, kind, first)
) WITHOUT ROWID;
CREATE TABLE waiting (
    lane INTEGER, s INTEGER, content INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (lane, s)
) WITHOUT ROWID;
CREATE TABLE vouchers (
    place INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, lane INTEGER NOT NULL, s INTEGER NOT NULL
);
CREATE TABLE bundles (
    digest BLOB PRIMARY KEY, g INTEGER NOT NULL, is_kept INTEGER NOT NULL, content BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE arrivals (
    place INTEGER PRIMARY KEY AUTOINCREMENT, what INTEGER NOT NULL, lane INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, content INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE TABLE heard (
    lane INTEGER PRIMARY KEY, number INTEGER NOT NULL, epoch INTEGER NOT NULL, at INTEGER NOT NULL,
    carrier TEXT NOT NULL
);
"""

Hook = Callable[[str], None]
Row = tuple[Any, ...]


class Store:
    """The tables of an agent, in a file of mode 0600, or in memory. One process has it open, and one thread uses it.

    After any exception of a step, make a new Agent: the old one may know what the file does not. FileError: the file
    cannot be written or read.
    """

    def __init__(self, path: Path | str = ":memory:", hook: Hook | None = None) -> None:
        """Open or make a store. FileError: it is no store, it is damaged, or of another version, or in use."""
        self.hook = hook
        self._path = path
        if path != ":memory:":
            _make_private(Path(path))
        self._base = self._connected()
        try:
            self._open()
        except BaseException:
            self._base.close()
            raise

    def _open(self) -> None:
        self._execute("PRAGMA locking_mode = EXCLUSIVE")
        self._execute("PRAGMA journal_mode = WAL")  # a commit waits for the disk once
        self._execute("PRAGMA synchronous = FULL")
        ((version,),), ((mark,),) = self.read("PRAGMA user_version"), self.read("PRAGMA application_id")
        if not version and not mark and not self.read("SELECT 1 FROM sqlite_schema"):
            self._make()
        elif (version, mark) == (_BEFORE, _MARK):
            self._upgrade()
        elif (version, mark) != (FORMAT, _MARK):
            raise FileError(f"{self._path} is no store of this version of ndks", "use the ndks that made it")

    def _make(self) -> None:
        with self.step():
            for statement in statements_of(_SCHEMA + check_book.SCHEMA):
                self.write(statement)
            self.write(f"PRAGMA application_id = {_MARK}")
            self.write(f"PRAGMA user_version = {FORMAT}")

    def _upgrade(self) -> None:
        with self.step():
            for statement in statements_of(check_book.SCHEMA):
                self.write(statement)
            self.write(f"PRAGMA user_version = {FORMAT}")

    def close(self) -> None:
        self._base.close()

    @contextlib.contextmanager
    def step(self) -> Generator[None]:
        """Do all writes of the block, or none of them."""
        self.write("BEGIN IMMEDIATE")
        try:
            yield
            self._reach("COMMIT")
            self._execute("COMMIT")
        except BaseException:
            if self._base.in_transaction:  # a full disk may have ended it
                self._base.execute("ROLLBACK")
            raise
        self._reach("after COMMIT")

    def check_writable(self) -> None:
        """Write something that changes each time. FileError: the disk is full, for example."""
        with self.step():
            self.note(_CHECKED, (self.fact(_CHECKED) or 0) + 1)

    def write(self, statement: str, *values: object) -> None:
        """Execute a statement that changes something, within a step."""
        self._reach(statement)
        self._execute(statement, *values)

    def read(self, statement: str, *values: object) -> list[Row]:
        return self._execute(statement, *values)

    def fact(self, name: str) -> int | None:
        """Return a number that was noted, or None."""
        rows = self.read("SELECT value FROM facts WHERE name = ?", name)
        return rows[0][0] if rows else None

    def note(self, name: str, value: int) -> None:
        self.write("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)

    def _connected(self) -> sqlite3.Connection:
        with self._errors():
            return sqlite3.connect(self._path, isolation_level=None, timeout=0)

    def _execute(self, statement: str, *values: object) -> list[Row]:
        with self._errors():
            return self._base.execute(statement, values).fetchall()

    @contextlib.contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            what = f"{self._path} cannot be used: {error}"
            raise FileError(what, _ADVICE) from None

    def _reach(self, place: str) -> None:
        if self.hook:
            self.hook(place)


def _make_private(path: Path) -> None:
    """Make a file that is not there. FileError; also if others may read one that is: it has messages."""
    with file_errors():
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            refuse_public(path)
