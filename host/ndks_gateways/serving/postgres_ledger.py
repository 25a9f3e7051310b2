# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A ledger in PostgreSQL, for several servers of a site."""

import contextlib
import time
from collections.abc import Generator, Sequence
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from .config import ConfigError
from .tables import LedgerAway

_SETTINGS = (
    "SET synchronous_commit = on",
    "SET default_transaction_isolation = 'read committed'",
    "SET statement_timeout = '5s'",
    "SET idle_in_transaction_session_timeout = '10s'",  # so nobody writes what an earlier state allowed
)
_CONNECT_SECONDS = 5
_LOST_MILLISECONDS = 10_000  # without an acknowledgement of what was sent
_IDLE_SECONDS = 1.0  # after which a connection may be gone without a sign


def check_address(address: str) -> None:
    """Raise ConfigError for an address that libpq does not read, or reads wrongly: it would repeat a password in a log.

    An `@` or `/` in a password that is not percent-encoded makes the rest of it a host, a port or a database.
    """
    try:
        parts = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        parts = None
    names = [str(parts.get(each) or "") for each in ("host", "port", "dbname")] if parts else ["@"]
    if any("@" in each for each in names) or names[1].strip("0123456789,"):
        advice = 'as "host=HOST dbname=NAME user=USER", or "postgresql://USER@HOST/NAME" with %40 for @ and %2F for /'
        raise ConfigError("ledger.postgresql is not an address that libpq reads", advice)


class PostgresConnection:
    """A connection to a database by its URL or other words for libpq. LedgerAway."""

    collate = ' COLLATE "C"'

    def __init__(self, address: str) -> None:
        with _errors():
            self._base = psycopg.connect(
                address, autocommit=True, connect_timeout=_CONNECT_SECONDS, tcp_user_timeout=_LOST_MILLISECONDS
            )
        try:
            for setting in _SETTINGS:
                self.execute(setting)
        except LedgerAway:
            self.close()
            raise

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with _errors():
            cursor = self._base.execute(statement.replace("?", "%s").encode(), values)
            self._used = time.monotonic()
            return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def step(self) -> Generator[None]:
        with _errors(), self._base.transaction():
            yield

    def has_tables(self) -> bool:
        return bool(self.execute("SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass('ledger')"))

    def is_usable(self) -> bool:
        if time.monotonic() - self._used < _IDLE_SECONDS:
            return not self._base.closed
        try:
            self.execute("SELECT 1")
        except LedgerAway:
            return False
        return True

    def close(self) -> None:
        self._base.close()


@contextlib.contextmanager
def _errors() -> Generator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise LedgerAway(str(error).strip() or type(error).__name__) from None
