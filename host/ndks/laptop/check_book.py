# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Key check values of messages, and who confirmed them over another channel, in tables of SQLite.

An agent has these tables in its store, and each laptop has them in a file of their own, for capsules in files. A
message has a name: LANE:S at an agent, the first 32 hexadecimal digits of SHA-256(header) for a capsule. A check value
is 8 bytes of a PRF of the message's key: it reveals nothing about key or text.
"""

from dataclasses import dataclass

from .database import Database

MOST = 4096  # check values that are kept: the latest ones
SCHEMA = """
CREATE TABLE checks (place INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL UNIQUE, value BLOB NOT NULL);
CREATE TABLE confirmations (
    place INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL, who TEXT NOT NULL, "when" TEXT NOT NULL,
    channel TEXT NOT NULL, words TEXT NOT NULL, held INTEGER NOT NULL, resolved TEXT NOT NULL
);
"""
_COLUMNS = 'message, who, "when", channel, words, held, resolved'


@dataclass(frozen=True)
class Confirmation:
    """What somebody said about a message: the six words, over what channel, and whether they were the right ones.

    `resolved` says who found out why they were not, and what it was; "": nobody yet.
    """

    message: str
    who: str
    when: str  # UTC, ISO 8601
    channel: str
    words: str
    held: bool
    resolved: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the words differed and nobody has found out why."""
        return not self.held and not self.resolved


class CheckBook:
    """The tables of check values and confirmations."""

    def __init__(self, tables: Database) -> None:
        self._tables = tables

    def keep(self, message: str, value: bytes) -> None:
        """Keep the check value of a message, within a step, and forget the oldest."""
        self._tables.write("INSERT OR REPLACE INTO checks (message, value) VALUES (?, ?)", message, value)
        self._tables.write("DELETE FROM checks WHERE place <= (SELECT max(place) FROM checks) - ?", MOST)

    def value(self, message: str) -> bytes:
        """Return the check value of a message; b"": it is not known, or no longer kept."""
        rows = self._tables.read("SELECT value FROM checks WHERE message = ?", message)
        return rows[0][0] if rows else b""

    def confirm(self, confirmation: Confirmation) -> None:
        """Note what somebody said, within a step, and forget the oldest that held or were resolved."""
        each = confirmation
        values = each.message, each.who, each.when, each.channel, each.words, each.held, each.resolved
        self._tables.write(f"INSERT INTO confirmations ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", *values)  # noqa: S608
        old = "place <= (SELECT max(place) FROM confirmations) - ? AND (held OR resolved != '')"
        self._tables.write(f"DELETE FROM confirmations WHERE {old}", MOST)  # noqa: S608 - a constant

    def confirmations(self) -> list[Confirmation]:
        """Return all that is noted, the oldest first."""
        rows = self._tables.read(f"SELECT {_COLUMNS} FROM confirmations ORDER BY place")  # noqa: S608 - a constant
        return [
            Confirmation(message, who, when, channel, words, bool(held), resolved)
            for message, who, when, channel, words, held, resolved in rows
        ]

    def failures(self) -> list[Confirmation]:
        """Return the confirmations whose words differed, until somebody resolves them."""
        return [each for each in self.confirmations() if each.is_open]

    def resolve(self, message: str, how: str) -> int:
        """Note what was found out about the failures of a message, within a step; return how many there were."""
        count = sum(each.message == message for each in self.failures())
        change = "UPDATE confirmations SET resolved = ? WHERE message = ? AND NOT held AND resolved = ''"
        self._tables.write(change, how, message)
        return count
