# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The tables of a ledger, and all of its statements, which SQLite and PostgreSQL take alike.

`ledger` has one row once an administrator said so; `run` has the last runs of each server; `delivered` has each key
that an SAE got. The primary key decides who gets a key, at any isolation level. A ledger serves no epoch before
`born`, so earlier rows may be missing.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from ..keys import refusals
from ..keys.refusals import BadRequest, NotNow
from ..keys.runs import Run

FORMAT = 1
MOST_ROWS = 4096  # in one statement: SQLite takes 32,766 values

_CREATE = (
    "CREATE TABLE ledger (one int PRIMARY KEY CHECK (one = 1), format int NOT NULL, born bigint NOT NULL)",
    "CREATE TABLE run (epoch bigint, lane int, run bigint, server text NOT NULL, started bigint NOT NULL,"
    " PRIMARY KEY (epoch, lane, run))",
    "CREATE TABLE delivered (epoch bigint, lane int, run bigint, slot int, sae text{collate}, at bigint NOT NULL,"
    " PRIMARY KEY (epoch, lane, run, slot, sae))",
)
_STATE = (
    "SELECT format, born, EXISTS (SELECT 1 FROM run WHERE epoch = ? AND lane = ? AND run = ?),"
    " EXISTS (SELECT 1 FROM delivered WHERE epoch = ? AND lane = ? AND run = ? AND slot = ? AND sae = ?) FROM ledger"
)
_DELIVER = "INSERT INTO delivered VALUES {rows} ON CONFLICT DO NOTHING RETURNING epoch, lane, run, slot, sae"
_TAKE_BACK = "DELETE FROM delivered WHERE epoch = ? AND lane = ? AND run = ? AND slot = ? AND sae = ?"
_NOTE = "INSERT INTO run VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_BEGIN = "INSERT INTO ledger VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET born = excluded.born"
_LATER = "UPDATE ledger SET born = ? WHERE born < ?"
_OLD_RUN = (
    "SELECT epoch, lane, run FROM delivered WHERE epoch < (SELECT born FROM ledger) ORDER BY epoch, lane, run LIMIT 1"
)
_DELETE = "DELETE FROM delivered WHERE epoch = ? AND lane = ? AND run = ?"
_FORGET_RUNS = "DELETE FROM run WHERE epoch < (SELECT born FROM ledger)"
_NO_ROW = (-1, -1, -1, -1, "")


class Delivered(NamedTuple):
    """A key that an SAE got, by the first slot of the key."""

    epoch: int
    lane: int
    run: int
    slot: int
    sae: str


class Mark(NamedTuple):
    """The last run of a server, and a key that it delivered lately: both are in its ledger, unless that is older."""

    run: Run | None = None
    delivered: Delivered | None = None


class LedgerAway(NotNow):
    """The database does not answer, or not as it should. Whether the last change was made is not known."""

    code = "LEDGER_AWAY"
    usual_advice = "see that the database runs, and is the one that [ledger] names; then repeat it"

    def __init__(self, why: str) -> None:
        super().__init__(refusals.LEDGER_AWAY)
        self.why = why  # for the log: it may have names of hosts and files


class LedgerLost(NotNow):
    """The ledger is empty, or does not know what it was told: keys would come twice."""

    code = "LEDGER_LOST"
    usual_advice = (
        "if this site never delivered a key: ndks serve ledger --first; if its ledger was lost, or put back from a"
        " copy: ndks serve ledger --lost"
    )

    def __init__(self) -> None:
        super().__init__(refusals.LEDGER_LOST)


class Connection(Protocol):
    """A connection to a database; one thread uses it. LedgerAway: make another one.

    `collate` orders a text by its bytes, where that is not the default.
    """

    collate: str

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]: ...

    def step(self) -> AbstractContextManager[None]:
        """Do all statements of the block or none, and have them on the disk at its end."""
        ...

    def has_tables(self) -> bool: ...

    def is_usable(self) -> bool:
        """Return whether it still leads to the database of its address."""
        ...

    def close(self) -> None: ...


class Tables:
    """The tables behind a connection, which are made if they are missing. LedgerAway."""

    def __init__(self, base: Connection) -> None:
        self._base = base
        if base.has_tables():
            return
        try:
            with base.step():
                for statement in _CREATE:
                    base.execute(statement.format(collate=base.collate))
        except LedgerAway:
            if not base.has_tables():  # else another server has made them just now
                raise

    def check(self, mark: Mark) -> int:
        """Return `born`. LedgerLost: what the mark says is missing, and not older than `born`; LedgerAway."""
        found = self._base.execute(_STATE, (*(mark.run or _NO_ROW[:3]), *(mark.delivered or _NO_ROW)))
        if not found:
            raise LedgerLost
        ((version, born, *has),) = found
        if version != FORMAT:
            raise LedgerAway("the ledger is of another version of ndks")
        for marked, is_there in zip(mark, has, strict=True):
            if marked and marked.epoch >= born and not is_there:
                raise LedgerLost
        return born

    def deliver(self, batches: Sequence[Sequence[Delivered]], mark: Mark) -> list[BadRequest | None]:
        """Write all rows of a batch or none, for each batch; return why not. LedgerLost, LedgerAway.

        No row is in two batches.
        """
        with self._base.step():
            born = self.check(mark)
            old = [any(row.epoch < born for row in batch) for batch in batches]
            new = self._insert([row for batch, is_old in zip(batches, old, strict=True) if not is_old for row in batch])
            whole = [new.issuperset(batch) for batch in batches]
            for batch, is_whole in zip(batches, whole, strict=True):
                for row in () if is_whole else new.intersection(batch):
                    self._base.execute(_TAKE_BACK, row)
        return [
            BadRequest(refusals.TOO_OLD) if is_old else None if is_whole else BadRequest(refusals.TAKEN)
            for is_old, is_whole in zip(old, whole, strict=True)
        ]

    def _insert(self, rows: Collection[Delivered]) -> set[Delivered]:
        """Insert rows; return those that were not there. All servers use one order, so there is no deadlock."""
        if not rows:
            return set()
        now = int(time.time())
        statement = _DELIVER.format(rows=", ".join(["(?, ?, ?, ?, ?, ?)"] * len(rows)))
        values = [value for row in sorted(rows) for value in (*row, now)]
        return {Delivered(*row) for row in self._base.execute(statement, values)}

    def note_run(self, run: Run, server: str, mark: Mark) -> None:
        """Write a run that a server has taken. LedgerLost, LedgerAway."""
        with self._base.step():
            self.check(mark)
            self._base.execute(_NOTE, (*run, server, int(time.time())))

    def runs(self) -> list[tuple[int, str]]:
        """Return the epochs in which the servers of this site have taken runs, each with the name of the server."""
        return [(epoch, server) for epoch, server in self._base.execute("SELECT DISTINCT epoch, server FROM run")]

    def is_begun(self) -> bool:
        """Return whether an administrator has begun this ledger."""
        return bool(self._base.execute("SELECT 1 FROM ledger"))

    def begin(self, born: int) -> None:
        """Begin the ledger, or begin it again: no key of an epoch before `born` is delivered from now on."""
        with self._base.step():
            self._base.execute(_BEGIN, (FORMAT, born))

    def drop_old(self) -> Iterator[None]:
        """Delete what is older than `born`, one run at each step."""
        while found := self._base.execute(_OLD_RUN):
            with self._base.step():
                self._base.execute(_DELETE, found[0])
            yield
        with self._base.step():
            self._base.execute(_FORGET_RUNS)

    def raise_born(self, born: int) -> None:
        """Serve no epoch before `born` any more. Earlier rows are deleted the next time, when nobody writes any."""
        with self._base.step():
            self._base.execute(_LATER, (born, born))
