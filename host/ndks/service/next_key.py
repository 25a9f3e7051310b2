# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The next exported key: one client at a time takes it, so that no two get the same one."""

from ndks_protocol import commands

from .asking import Asking
from .client import Client, Request
from .order import OF_KEYS
from .places import Place


class NextKey:
    """Answers NEXT_INDEX and ACKNOWLEDGE.

    A client that asks for the next index has it until it acknowledges it or leaves; while it reads that key, however
    long it is, others wait. A client that reads nothing for a while loses it to one that waits.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._place = Place()
        self._taken: dict[Client, int] = {}  # the next index that a client was last told

    async def next_index(self, request: Request) -> bytes:
        """Return the answer to NEXT_INDEX. UnitError, including BUSY."""
        async with self._place.turn(request.client):
            answer = await self._ask(request)
            _, index = commands.NEXT_INDEX.answer.unpack(answer, allow_more=True)
            self._taken[request.client] = index
            self._place.lend(request.client, _name(index))
        return answer

    async def acknowledge(self, request: Request) -> bytes:
        """Return the answer to ACKNOWLEDGE. UnitError, including CONFLICT: another client took this key meanwhile."""
        _, index, _ = request.values
        if self._taken.get(request.client) != index:
            return await self._ask(request)
        with self._place.going_on(request.client, _name(index), is_end=True):
            answer = await self._ask(request)
        self._taken.pop(request.client, None)
        return answer

    def note_reading(self, client: Client, index: int) -> None:
        """Note that a client reads a key."""
        self._place.touch(client, _name(index))

    def leave(self, client: Client) -> None:
        """Give back what a client has not acknowledged."""
        self._taken.pop(client, None)
        self._place.leave(client)

    async def _ask(self, request: Request) -> bytes:
        return await self._asking.ask(request.client, request.command, request.payload, OF_KEYS)


def _name(index: int) -> bytes:
    return index.to_bytes(8, "big")
