# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A fuzzer's bytes, read as a script of what is to be done; any bytes are one, and those that are missing are zeros."""

from collections.abc import Sequence
from typing import TypeVar

Choice = TypeVar("Choice")


class Script:
    """Reads bytes from their beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def ended(self) -> bool:
        return self._position >= len(self._data)

    def take(self, size: int) -> bytes:
        """So many bytes, fewer at the end."""
        taken = self._data[self._position : self._position + size]
        self._position += size
        return taken

    def number(self, size: int) -> int:
        """A number of so many bytes."""
        return int.from_bytes(self.take(size).ljust(size, b"\0"))

    def byte(self) -> int:
        return self.number(1)

    def block(self) -> bytes:
        """Bytes that are preceded by how many they are, in two bytes."""
        return self.take(self.number(2))

    def rest(self) -> bytes:
        return self.take(len(self._data))

    def one_of(self, choices: Sequence[Choice]) -> Choice:
        return choices[self.byte() % len(choices)]


def block(content: bytes) -> bytes:
    """What `Script.block` reads."""
    return len(content).to_bytes(2) + content
