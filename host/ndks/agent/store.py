# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent's memory: an SQLite file. Each step of the agent is one transaction, so a crash leaves the state before it.

All writes go through `Store.write`. Tests pass a hook that is told of each statement and commit, and may raise there.
"""

from pathlib import Path

from ..laptop import check_book
from ..laptop.database import MEMORY, Database, Hook, Kind, statements_of

FORMAT = 2
_BEFORE = 1  # had no checks
_MARK = 0x4E444B53  # "NDKS"
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
INSERT INTO facts VALUES ('arrived', 0), ('waiting', 0);
"""
# Facts that are kept in step with two tables: the bytes of their rows, with ROW for each besides its data.
ROW = 100
_SIZES = (("arrivals", "arrived"), ("waiting", "waiting"))
_CHANGES = (("INSERT", "+", "new"), ("DELETE", "-", "old"))


def _counting(table: str, fact: str, event: str, sign: str, row: str) -> str:
    """Return the trigger that keeps the size of a table in a fact."""
    change = f"UPDATE facts SET value = value {sign} {ROW} {sign} length({row}.data) WHERE name = '{fact}'"  # noqa: S608
    return f"CREATE TRIGGER {table}_{event.lower()} AFTER {event} ON {table} BEGIN {change}; END"


_KIND = Kind(
    "store",
    _MARK,
    FORMAT,
    [
        *statements_of(_SCHEMA + check_book.SCHEMA),
        *(_counting(table, fact, *how) for table, fact in _SIZES for how in _CHANGES),
    ],
    _ADVICE,
    upgrades={_BEFORE: statements_of(check_book.SCHEMA)},
    pragmas=[
        "locking_mode = EXCLUSIVE",
        "journal_mode = WAL",  # a commit waits for the disk once
        "synchronous = FULL",
        "secure_delete = ON",  # what is deleted is overwritten
    ],
)


class Store(Database):
    """The tables of an agent. One process has it open.

    After any exception of a step, make a new Agent: the old one may know what the file does not.
    """

    def __init__(self, path: Path | str = MEMORY, hook: Hook | None = None) -> None:
        """Open or make a store. FileError: it is not a store, is damaged, of another version, or in use."""
        super().__init__(path, _KIND, hook)

    def tidy(self) -> None:
        """Empty the write-ahead log, which still has what has been deleted since the last time."""
        self.read("PRAGMA wal_checkpoint(TRUNCATE)")

    def check_writable(self) -> None:
        """Write something that is different each time. FileError: the disk is full, for example."""
        with self.step():
            self.note(_CHECKED, (self.fact(_CHECKED) or 0) + 1)

    def fact(self, name: str) -> int | None:
        """Return a number that was noted, or None."""
        rows = self.read("SELECT value FROM facts WHERE name = ?", name)
        return rows[0][0] if rows else None

    def note(self, name: str, value: int) -> None:
        self.write("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)
