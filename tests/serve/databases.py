# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The databases of ledgers: a file of SQLite, and a real PostgreSQL of its own."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ndks_gateways.serving.postgres_ledger import PostgresConnection
from ndks_gateways.serving.sqlite_ledger import SqliteConnection
from ndks_gateways.serving.tables import Connection

PATIENCE = 60  # seconds
TABLES = ("ledger", "run", "delivered")


class Database:
    """A database of a ledger. `connect` is what a server uses; the rest is what befalls it."""

    def __init__(self, connect: Callable[[], Connection], open_beside: Callable[[], Any], mark: str) -> None:
        self.connect = connect
        self._open_beside = open_beside  # a connection of the test's own
        self._mark = mark

    def copy(self) -> dict[str, list[Any]]:
        """Return all rows."""
        with contextlib.closing(self._open_beside()) as base:
            return {table: base.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}

    def put_back(self, rows: dict[str, list[Any]]) -> None:
        """Replace all rows, under the connections of the servers."""
        with contextlib.closing(self._open_beside()) as base:
            for table in reversed(TABLES):
                base.execute(f"DELETE FROM {table}")
            for table in TABLES:
                for row in rows.get(table, []):
                    base.execute(f"INSERT INTO {table} VALUES ({', '.join([self._mark] * len(row))})", row)
            base.commit()


class Cluster:
    """A PostgreSQL on a Unix socket, as the user postgres if this one is root."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.directory = Path(tempfile.mkdtemp(prefix="ndks-pg-", dir="/tmp"))
        self._databases = 0
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres")
        self._run("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-D", self.directory / "data")

    def start(self) -> None:
        # A process that is killed loses nothing without fsync: the system keeps what was written.
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.directory}' -c fsync=off"
        self._control("start", "-l", self.directory / "log", "-o", options)

    def stop(self, *, kill: bool = False) -> None:
        """Stop it; with `kill` as a crash does."""
        self._control("stop", "-m", "immediate" if kill else "fast")

    def address(self, database: str = "postgres") -> str:
        return f"host={self.directory} user=postgres dbname={database}"

    def new_database(self) -> str:
        """Make a database, and return its address."""
        self._databases += 1
        with psycopg.connect(self.address(), autocommit=True) as base:
            base.execute(f"CREATE DATABASE d{self._databases}")  # pyright: ignore[reportCallIssue, reportArgumentType]
        return self.address(f"d{self._databases}")

    def remove(self) -> None:
        self.stop(kill=True)
        shutil.rmtree(self.directory)

    def _control(self, *arguments: str | Path) -> None:
        self._run("pg_ctl", "-w", "-t", str(PATIENCE), "-D", self.directory / "data", *arguments)

    def _run(self, program: str, *arguments: str | Path) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*user, self._programs / program, *arguments]
        with (self.directory / "out").open("a") as out:  # no pipe: the server would keep it open
            subprocess.run(command, check=True, timeout=2 * PATIENCE, stdout=out, stderr=out, cwd="/")


def programs() -> Path | None:
    """Return where PostgreSQL's programs are: Debian has them beside the path."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return places[-1] if places else None


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that runs. A test that stops it starts it again."""
    found = programs()
    if not found:
        pytest.skip("PostgreSQL is not installed")
    cluster = Cluster(found)
    cluster.start()
    yield cluster
    cluster.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database, of both kinds in turn."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.sqlite"
        return Database(lambda: SqliteConnection(path), lambda: sqlite3.connect(path), "?")
    address = request.getfixturevalue("cluster").new_database()
    return Database(lambda: PostgresConnection(address), lambda: psycopg.connect(address), "%s")
