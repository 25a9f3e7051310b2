# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The ledger of a site, as a server uses it: one thread, and all that waits goes into one commit."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from ndks.exceptions import FileError

from ..keys import refusals
from ..keys.refusals import BadRequest, NotNow
from ..keys.runs import Run
from .marks import MarkFile
from .tables import MOST_ROWS, Connection, Delivered, LedgerAway, LedgerLost, Mark, Tables

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_PATIENCE = 10.0  # seconds for a commit
_MARK_SECONDS = 1.0  # between two writes of the mark
_PAUSE = 2.0  # seconds between two looks


_Result = BadRequest | NotNow | None


class _Batch(NamedTuple):
    rows: frozenset[Delivered]
    done: "asyncio.Future[_Result]"


class Ledger:
    """The ledger behind a connection that `connect` makes, for the server of this name. FileError: the mark.

    `problem` says why no key can be delivered, as far as `run` and the last delivery know.
    """

    def __init__(self, connect: Callable[[], Connection], mark: MarkFile, server: str) -> None:
        self.problem: NotNow | None = NotNow(refusals.LEDGER_AWAY)
        self._connect = connect
        self._file = mark
        self._mark = mark.read()
        self._marked = self._mark  # in the file
        self._marked_at = time.monotonic()
        self._mark_failed: NotNow | None = None
        self._server = server
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._connection: Connection | None = None
        self._waiting: list[_Batch] = []
        self._group: Sequence[_Batch] = ()  # that the thread has
        self._to_note: Run | None = None
        self._has_run = asyncio.Event()

    @property
    def mark(self) -> Mark:
        """What this server has told the ledger last."""
        return self._mark

    def keep_mark(self) -> None:
        """Write the mark as it was read. FileError: it cannot be kept, and an older ledger would not be seen later."""
        self._file.write(self._mark)

    async def deliver(self, rows: Sequence[Delivered]) -> None:
        """Write all rows, at most 4096. BadRequest: one is there already, or too old, and none was written.

        LedgerLost; LedgerAway: they may have been written, and then their keys are lost for this SAE.
        """
        loop = asyncio.get_running_loop()
        batch = _Batch(frozenset(rows), loop.create_future())
        self._waiting.append(batch)
        self._go_on(loop)
        timer = loop.call_later(_PATIENCE, lambda: _answer([batch], [LedgerAway("no commit in time")]))
        try:
            refusal = await batch.done
        finally:
            timer.cancel()
        if refusal:
            raise refusal

    async def seen(self) -> dict[int, bool]:
        """Return the epochs in which servers of this site took runs, and for each whether this one did. LedgerAway."""
        runs = await self._do(Tables.runs)
        seen = {epoch: False for epoch, _ in runs}
        seen |= {epoch: True for epoch, server in runs if server == self._server}
        return seen | ({self._mark.run.epoch: True} if self._mark.run else {})

    async def is_begun(self) -> bool:
        """Return whether an administrator has begun this ledger. LedgerAway."""
        return await self._do(Tables.is_begun)

    async def begin(self, born: int) -> None:
        """Begin the ledger, or begin it again; see Tables. LedgerAway."""
        await self._do(lambda tables: tables.begin(born))

    async def prune(self, born: int) -> None:
        """Delete the rows that nobody may ask for any more; serve no epoch before `born` from now on. LedgerAway."""
        dropping = await self._do(Tables.drop_old)
        while await self._do(lambda _: next(dropping, dropping)) is not dropping:
            pass
        await self._do(lambda tables: tables.raise_born(born))

    def note(self, run: Run) -> None:
        """Let `run` write that this server has taken a run, as soon as the database is at hand."""
        self._to_note = run
        self._has_run.set()

    async def run(self) -> None:
        """Write runs, and check that the ledger is well, until this is cancelled."""
        while True:
            self._has_run.clear()
            run = self._to_note
            try:
                await self._do(lambda tables, run=run: self._note(tables, run) if run else self._look(tables))
                self.problem = self._mark_failed
                self._to_note = None if self._to_note is run else self._to_note
            except NotNow as error:
                self.problem = error
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE):
                    await self._has_run.wait()

    async def close(self) -> None:
        """Do what was begun, write the mark, and close the connection."""
        _answer(self._waiting, [LedgerAway("this server ends")] * len(self._waiting))
        self._waiting = []
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)
        self._thread.shutdown()

    # In the loop

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the thread commit what waits, if it is not at a commit now."""
        if not self._group and (group := self._next_group()):
            self._group = group
            self._thread.submit(self._commit, group, loop)

    def _committed(self, results: Sequence[_Result], loop: asyncio.AbstractEventLoop) -> None:
        _answer(self._group, results)
        self._group = ()
        self._go_on(loop)

    def _next_group(self) -> list[_Batch]:
        """Take the batches that go together. A row that two have goes to the first, or, if that fails, to the next."""
        waiting = [batch for batch in self._waiting if not batch.done.done()]  # whoever asked for the others has gone
        group: list[_Batch] = []
        self._waiting = []
        claimed: set[Delivered] = set()
        size = 0
        for batch in waiting:
            fits = not group or size + len(batch.rows) <= MOST_ROWS
            if fits and claimed.isdisjoint(batch.rows):
                group.append(batch)
                size += len(batch.rows)
            else:
                self._waiting.append(batch)
            claimed |= batch.rows
        return group

    async def _do(self, call: Callable[[Tables], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._with_tables, call)

    # In the thread

    def _commit(self, group: Sequence[_Batch], loop: asyncio.AbstractEventLoop) -> None:
        results: Sequence[_Result] = [LedgerAway("a bug")] * len(group)
        try:
            results = self._with_tables(lambda tables: self._deliver(tables, group))
        except NotNow as error:
            self.problem = error
            results = [error] * len(group)
        except Exception:
            _log.exception("a commit failed; this is a bug")
        loop.call_soon_threadsafe(self._committed, results, loop)

    def _with_tables(self, call: Callable[[Tables], _T]) -> _T:
        if self._connection and not self._connection.is_usable():
            self._drop()
        try:
            if not self._connection:
                self._connection = self._connect()
                self._tables = Tables(self._connection)
            return call(self._tables)
        except LedgerLost as error:
            is_news = not isinstance(self.problem, LedgerLost)
            _log.log(logging.WARNING if is_news else logging.DEBUG, "%s: %s. Do: %s", error.code, error, error.advice)
            if self._marked != self._mark:  # it alone may show that, also after a crash
                self._write_mark()
            raise
        except LedgerAway as error:
            is_news = not isinstance(self.problem, LedgerAway)
            _log.log(logging.WARNING if is_news else logging.DEBUG, "%s: %s", error.code, error.why)
            self._drop()
            raise

    def _deliver(self, tables: Tables, group: Sequence[_Batch]) -> list[BadRequest | None]:
        if self._mark_failed:
            self._write_mark()
        if self._mark_failed:  # an older copy of the ledger would not be noticed
            raise self._mark_failed
        results = tables.deliver([tuple(batch.rows) for batch in group], self._mark)
        for batch, refusal in zip(group, results, strict=True):
            if not refusal:
                self._mark = self._mark._replace(delivered=max(batch.rows))
        if time.monotonic() - self._marked_at >= _MARK_SECONDS:
            self._write_mark()
        return results

    def _look(self, tables: Tables) -> None:
        tables.check(self._mark)
        if self._marked != self._mark or self._mark_failed:
            self._write_mark()

    def _note(self, tables: Tables, run: Run) -> None:
        tables.note_run(run, self._server, self._mark)
        self._mark = self._mark._replace(run=run)
        self._write_mark()

    def _write_mark(self) -> None:
        self._marked_at = time.monotonic()
        try:
            self._file.write(self._mark)
        except FileError as error:  # what is committed is given all the same, and nothing after it
            level = logging.DEBUG if self._mark_failed else logging.ERROR
            _log.log(
                level, "%s: %s; no key is delivered until it can be written. Do: %s", error.code, error, error.advice
            )
            self._mark_failed = self.problem = NotNow(refusals.NO_MARK)
            return
        self._marked = self._mark
        self._mark_failed = None

    def _end(self) -> None:
        if self._marked != self._mark:
            self._write_mark()
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()


def _answer(group: Sequence[_Batch], results: Sequence[_Result]) -> None:
    for batch, result in zip(group, results, strict=True):
        if not batch.done.done():  # else whoever asked has gone
            batch.done.set_result(result)
