# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys and messages whose content is read from the unit on demand."""

from collections.abc import AsyncGenerator

from ..driver import exported_keys, messages
from ..driver.answers import Key
from ..driver.capsules import Progress, Unsealed, no_progress
from ..files import Sink
from .tasks import Tasks


class ExportedKey:
    """A key whose bits are read from the unit on demand."""

    def __init__(self, key: exported_keys.ExportedKey, tasks: Tasks) -> None:
        self.index = key.index
        self.epoch = key.epoch
        self.bits = key.bits
        self._key = key
        self._tasks = tasks

    def blocks(self, offset: int = 0) -> AsyncGenerator[bytes]:
        """Yield the key in blocks of at most 1024 bytes, from byte `offset` on."""
        return self._tasks.each(self._key.blocks(offset))

    async def read(self) -> Key:
        """Return the whole key."""
        return await self._tasks.run(self._key.read)


class ReceivedMessage:
    """A message in its capsule; `unsealed` describes it once all of it is verified."""

    def __init__(self, message: messages.ReceivedMessage, tasks: Tasks) -> None:
        self._message = message
        self._tasks = tasks

    @property
    def unsealed(self) -> Unsealed | None:
        return self._message.unsealed

    async def unseal_into(self, sink: Sink, progress: Progress = no_progress) -> Unsealed:
        """Write the data to `sink`. The data is authentic only when this has returned."""
        return await self._tasks.run(lambda: self._message.unseal_into(sink, progress))

    async def read(self) -> bytes:
        """Return the data."""
        return await self._tasks.run(self._message.read)
