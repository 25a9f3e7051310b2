# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""SQLite tables in a file of mode 0600, with a mark, a format, and steps that are done wholly or not at all."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..exceptions import FileError
from ..files import refuse_public
from ..system_errors import file_errors

MEMORY = ":memory:"

Hook = Callable[[str], None]
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Kind:
    """What a file has. `mark` stands where SQLite keeps the kind of an application's file, `format` beside it.

    `statements` make the tables, `upgrades`, by format, those of an earlier file. `advice` is for a file that cannot be
    used; `wait`: seconds to wait for another process that writes.
    """

    name: str
    mark: int
    format: int
    statements: Sequence[str]
    advice: str
    upgrades: Mapping[int, Sequence[str]] = field(default_factory=dict[int, Sequence[str]])
    pragmas: Sequence[str] = ()
    wait: float = 0.0


class Database:
    """The tables in a file, or in memory. One thread uses it. FileError: the file cannot be written or read.

    Tests pass a hook that is told of each statement that changes something and of each commit, and may raise there.
    """

    def __init__(self, path: Path | str, kind: Kind, hook: Hook | None = None) -> None:
        """Open or make it. FileError: it is not such a file, is damaged, of another version, in use, or public."""
        self.hook = hook
        self._path, self._kind = path, kind
        if path != MEMORY:
            _make_private(Path(path))
        try:
            self._base = sqlite3.connect(path, isolation_level=None, timeout=kind.wait)
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        try:
            self._open()
        except BaseException:
            self._base.close()
            raise

    def close(self) -> None:
        self._base.close()

    @contextlib.contextmanager
    def step(self) -> Generator[None]:
        """Do all writes of the block, or none of them."""
        self.write("BEGIN IMMEDIATE")
        try:
            yield
            self._reach("COMMIT")
            self.read("COMMIT")
        except BaseException:
            if self._base.in_transaction:  # a full disk may have ended it
                self._base.execute("ROLLBACK")
            raise
        self._reach("after COMMIT")

    def write(self, statement: str, *values: object) -> None:
        """Execute a statement that changes something, within a step."""
        self._reach(statement)
        self.read(statement, *values)

    def read(self, statement: str, *values: object) -> list[Row]:
        try:
            return self._base.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _open(self) -> None:
        for pragma in self._kind.pragmas:
            self.read(f"PRAGMA {pragma}")
        if self._version() == (self._kind.mark, self._kind.format):
            return
        with self.step():  # another process may be doing the same now
            for statement in self._lacking():
                self.write(statement)
            self.write(f"PRAGMA application_id = {self._kind.mark}")
            self.write(f"PRAGMA user_version = {self._kind.format}")

    def _lacking(self) -> Sequence[str]:
        """Return the statements that bring this file to the present format. FileError."""
        kind, (mark, version) = self._kind, self._version()
        if (mark, version) == (0, 0) and not self.read("SELECT 1 FROM sqlite_schema"):
            return kind.statements
        if (mark, version) == (kind.mark, kind.format):
            return ()
        if mark == kind.mark and version in kind.upgrades:
            return kind.upgrades[version]
        raise FileError(f"{self._path} is no {kind.name} of this version of ndks", "use the ndks that made it")

    def _version(self) -> tuple[int, int]:
        ((mark,),), ((version,),) = self.read("PRAGMA application_id"), self.read("PRAGMA user_version")
        return mark, version

    def _unusable(self, error: sqlite3.Error) -> FileError:
        return FileError(f"{self._path} cannot be used: {error}", self._kind.advice)

    def _reach(self, place: str) -> None:
        if self.hook:
            self.hook(place)


def statements_of(schema: str) -> list[str]:
    """Return the statements of a text, each of which ends with a semicolon and its line."""
    return schema.split(";\n")[:-1]


def _make_private(path: Path) -> None:
    """Make a file that is not there. FileError, also if there is one that others may read."""
    with file_errors():
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            refuse_public(path)
