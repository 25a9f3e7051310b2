# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fair turns: which application is read next, when all together send more than a link takes."""

import asyncio
from collections.abc import Callable
from typing import Protocol

_AT_ONCE = 2  # readers in one turn of the loop: each may bring 64 KB before the link is seen to be full


class Reader(Protocol):
    def resume(self) -> None:
        """Read again."""
        ...


class Turns:
    """Readers that wait, in order. While any waits, one that has read goes to the end."""

    def __init__(self, may_read: Callable[[], bool]) -> None:
        self._may_read = may_read
        self._waiting: dict[Reader, None] = {}
        self._step: asyncio.Handle | None = None

    @property
    def may_read(self) -> bool:
        """Whether a reader may go on without a turn: the link takes more, and nobody waits."""
        return not self._waiting and self._may_read()

    def wait(self, reader: Reader) -> None:
        """Let a reader wait for its turn, once."""
        self._waiting[reader] = None
        self.go()

    def leave(self, reader: Reader) -> None:
        self._waiting.pop(reader, None)

    def go(self) -> None:
        """Let some readers have their turn if the link takes more."""
        if self._waiting and not self._step and self._may_read():
            self._step = asyncio.get_running_loop().call_soon(self._go)

    def _go(self) -> None:
        self._step = None
        for reader in list(self._waiting)[:_AT_ONCE] if self._may_read() else ():
            del self._waiting[reader]
            reader.resume()
        self.go()
