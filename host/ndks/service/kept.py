# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages of cipher aes: the service keeps their keys for a while, so that they need no place at the unit.

The key check value of such a message does not depend on its size, so the service asks for it at once. Any number of
messages can then be under way, in mode a by the client, in mode b here: both modes make the same bytes.
"""

import asyncio
from collections import OrderedDict

from ndks_protocol import errors
from ndks_protocol.capsule import Keys, Opener, Pieces, Sealer
from ndks_protocol.commands import Command
from ndks_protocol.kdf import wipe, xor_keystream

from ..crypto import CRYPTO
from ..driver.message_keys import known_sync

SECONDS = 60.0  # after its last use a message is forgotten
MOST = 64  # messages of a client; the least recently used is forgotten


class AesKeys(Keys):
    """The keys of a message of cipher aes."""

    def __init__(self, tag_key: bytes, sync: bytes, aes_key: bytes, check: bytes) -> None:
        self.tag_key = self._tag_key = bytearray(tag_key)
        self.sync = known_sync(sync)
        self.aes_key = bytearray(aes_key)
        self._check = check

    def apply(self, offset: int, text: memoryview) -> None:
        xor_keystream(CRYPTO, self.aes_key, offset, text)

    def check(self, size: int) -> bytes:  # noqa: ARG002 (the same for any size)
        return self._check

    def wipe(self) -> None:
        """Overwrite the keys."""
        wipe(self._tag_key)
        wipe(self.aes_key)


class Kept:
    """A message. `answer` is the answer to the request `begun`, which began it."""

    begun: tuple[Command, bytes] | None = None
    used = 0.0
    _size: int | None = None

    def __init__(self, answer: bytes, keys: AesKeys) -> None:
        self.answer = answer
        self._keys = keys

    def check(self, size: int) -> bytes:
        """Return the key check value of a message. UnitError CONFLICT: another size was asked for before."""
        if self._size not in (None, size):
            raise errors.UnitError(errors.CONFLICT)
        self._size = size
        return self._keys.check(size)

    def wipe(self) -> None:
        """Overwrite the keys."""
        self._keys.wipe()


class Sealed(Kept):
    """A message that is sealed here, in mode b."""

    def __init__(self, answer: bytes, keys: AesKeys) -> None:
        super().__init__(answer, keys)
        self._sealer = Sealer(CRYPTO, keys)
        self._pieces = Pieces()

    def seal(self, number: int, last: int, data: bytes) -> bytes:
        """Return the chunks of the next piece, or once more those of a recent one. UnitError CONFLICT, RANGE."""
        before = self._pieces.check(number, last, len(data))
        chunks = self._sealer.seal(number, last, data)
        self._pieces.note(number, last, len(data), before, chunks)
        return chunks

    def wipe(self) -> None:
        self._sealer.wipe()
        super().wipe()


class Opened(Kept):
    """A message that is opened here, in mode b."""

    def __init__(self, answer: bytes, keys: AesKeys) -> None:
        super().__init__(answer, keys)
        self._opener = Opener(CRYPTO, keys)

    def open(self, number: int, last: int, chunk: bytes) -> bytes:
        """Return the data of the next chunk. UnitError CONFLICT, AUTH, DIVERGED, BINDING."""
        return self._opener.open(number, last, chunk)

    def wipe(self) -> None:
        self._opener.wipe()
        super().wipe()


class Messages:
    """The messages of one client, by token or handle, the least recently used first."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def get(self, message: bytes) -> Kept | None:
        """Return a message that is kept, and note its use."""
        kept = self._kept.get(message)
        if kept:
            self.keep(message, kept)
        return kept

    def keep(self, message: bytes, kept: Kept) -> None:
        """Keep a message until it has not been used for SECONDS, or MOST others have been used."""
        kept.used = self._loop.time()
        self._kept[message] = kept
        self._kept.move_to_end(message)
        while len(self._kept) > MOST:
            self._forget_first()
        if not self._timer:
            self._wait()

    def forget(self) -> None:
        """Forget all messages."""
        while self._kept:
            self._forget_first()
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        """Forget the messages that have not been used for SECONDS, when it is time to."""
        self._timer = None
        now = self._loop.time()
        while self._kept and next(iter(self._kept.values())).used + SECONDS <= now:
            self._forget_first()
        if self._kept:
            self._timer = self._loop.call_at(next(iter(self._kept.values())).used + SECONDS, self._wait)

    def _forget_first(self) -> None:
        self._kept.popitem(last=False)[1].wipe()
