# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys of one message in mode a: given by the unit, the keystream of cipher vernam in chunks as it is needed."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from ndks_protocol import commands
from ndks_protocol.capsule import Keys
from ndks_protocol.kdf import xor_keystream

from ..crypto import CRYPTO
from ..exceptions import ProtocolError
from ..line.link import Link
from .blocks import Block


def known_sync(sync: bytes) -> bytes:
    """Return the sync word, or b"" for zeros, which say that the binding of the sender is unknown."""
    return sync if any(sync) else b""


class AesKeys(Protocol):
    """All keys of one message of cipher aes."""

    @property
    def tag_key(self) -> bytes: ...
    @property
    def sync(self) -> bytes: ...
    @property
    def aes_key(self) -> bytes: ...
    @property
    def check(self) -> bytes: ...


class GivenKeys(Keys):
    """The keys of a message of cipher aes with its key check value, for `Sealer` and `Opener`."""

    def __init__(self, keys: AesKeys) -> None:
        self.tag_key = keys.tag_key
        self.sync = keys.sync
        self._keys = keys

    def apply(self, offset: int, text: memoryview) -> None:
        xor_keystream(CRYPTO, self._keys.aes_key, offset, text)

    def check(self, size: int) -> bytes:  # noqa: ARG002 (equal for all sizes)
        return self._keys.check


class KeysFromUnit(Keys):
    """Keys of one message; `given` is the answer to SEAL_KEYS or OPEN_KEYS, `message` the token or handle."""

    def __init__(self, link: Link, message: bytes, given: Any) -> None:
        self.tag_key = given.tag_key
        self.sync = known_sync(given.sync)
        self.aes_key: bytes = given.aes_key
        self.checked = b""  # the key check value, once it was asked for
        self._link = link
        self._message = message
        self._stream = bytearray()

    def supplied(self, blocks: Iterable[Block], size_of: Callable[[Block], int]) -> Iterator[Block]:
        """Yield each block once its keystream of `size_of(block)` bytes has arrived; apply it before the next."""
        if self.aes_key:
            yield from blocks
            return
        waiting: deque[tuple[Block, int]] = deque()
        asked: deque[int] = deque()

        def requests() -> Iterator[tuple[bytes, int, int]]:
            offset = 0
            for block in blocks:
                size = size_of(block)
                waiting.append((block, size))
                for start in range(0, size, commands.MAX_CHUNK):
                    asked.append(min(commands.MAX_CHUNK, size - start))
                    yield self._message, offset + start, asked[-1]
                offset += size

        for answer in self._link.call_each(commands.MESSAGE_STREAM, requests()):
            if len(answer.keystream) != asked.popleft():
                raise ProtocolError("the unit sent a keystream of another size than asked for")
            self._stream += answer.keystream
            while waiting and waiting[0][1] <= len(self._stream):
                yield waiting.popleft()[0]

    def apply(self, offset: int, text: memoryview) -> None:
        if self.aes_key:
            xor_keystream(CRYPTO, self.aes_key, offset, text)
            return
        stream, self._stream = self._stream[: len(text)], self._stream[len(text) :]
        CRYPTO.xor(text, stream)

    def check(self, size: int) -> bytes:
        self.checked = self._link.call(commands.MESSAGE_CHECK, self._message, size).check
        return self.checked
