# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A client of a service in a loop."""

import asyncio
from pathlib import Path
from typing import Any

from ndks.line.conversation import START, Answer, Conversation, Dropped
from ndks.line.link import unpack_answer
from ndks_protocol.commands import Command


class AsyncClient(asyncio.Protocol):
    """A connection to a socket of a service."""

    def __init__(self) -> None:
        self._conversation = Conversation(1e9, 0)
        self._answers: dict[int, asyncio.Future[bytes]] = {}

    @classmethod
    async def connected(cls, path: Path) -> "AsyncClient":
        _, client = await asyncio.get_running_loop().create_unix_connection(cls, str(path))
        return client

    async def call(self, command: Command, *values: Any) -> Any:
        """Send one request; return the fields of its answer. NdksError."""
        return unpack_answer(command, await self.ask(command, command.request.pack(*values)))

    async def ask(self, command: Command, payload: bytes) -> bytes:
        """Send one request of any payload; return that of its answer. NdksError."""
        request_id, data = self._conversation.send(command, payload, 0.0)
        self._answers[request_id] = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        try:
            return await self._answers[request_id]
        finally:
            del self._answers[request_id]

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(START)

    def data_received(self, data: bytes) -> None:
        for event in self._conversation.receive(data):
            assert not isinstance(event, Dropped)
            answer = self._answers[event.request_id]
            answer.set_result(event.payload) if isinstance(event, Answer) else answer.set_exception(event.error)
