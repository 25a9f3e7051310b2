# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Records, what a link carries after its handshake: size u24 | AES-256-GCM(key, 0 u32 || counter u64, frame).

`size` counts what follows. Each direction of a link has a key; its counter begins at 0 and goes up by 1 a record.
Keys live in memory only, so no counter comes twice with a key.
"""

from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ndks.exceptions import NdksError

from .frames import HEAD, MOST_DATA

MOST_RECORDS = 1 << 24  # under one key
MOST_OCTETS = 64 << 30  # of frames, under one key

TAG = 16
_SIZE = 3
_LEAST = HEAD.size + TAG
_MOST = HEAD.size + MOST_DATA + TAG
_BUFFER = 8 * MOST_DATA  # at least 450 KB of it are free for the next read: one system call for seven records


class RecordError(NdksError):
    """A record is damaged, of another key, out of turn or too large, or the key is used up. Its link ends."""

    code = "TUNNEL_RECORD"
    exit_status = 4
    usual_advice = "the tunnel makes a new link by itself; if this goes on, look for what changes its bytes on the way"


class Use:
    """How much a key was used: 2^24 records or 64 GB are the most."""

    def __init__(self) -> None:
        self.records = 0
        self.octets = 0

    @property
    def is_spent(self) -> bool:
        """7/8 of that are used: time for another key, while this one still works."""
        return self.records >= MOST_RECORDS // 8 * 7 or self.octets >= MOST_OCTETS // 8 * 7

    def take(self, octets: int) -> int:
        """Return the counter of the next record, which has `octets` bytes. RecordError: the key is used up."""
        if self.records >= MOST_RECORDS or self.octets + octets > MOST_OCTETS:
            raise RecordError(f"the key of this link is used up: {self.records} records, {self.octets} bytes")
        self.records += 1
        self.octets += octets
        return self.records - 1


def nonce(counter: int) -> bytes:
    """0 u32 || counter u64."""
    return counter.to_bytes(12, "big")


class Sealer(Use):
    """Seals the frames of one direction of one link."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._cipher = AESGCM(key)

    def seal(self, content: bytes) -> bytes:
        """Return a frame as a record. RecordError: the key is used up."""
        sealed = self._cipher.encrypt(nonce(self.take(len(content))), content, None)
        return len(sealed).to_bytes(_SIZE, "big") + sealed


class Opener(Use):
    """Opens the records of one direction of one link, out of a buffer of its own.

    It fits asyncio.BufferedProtocol: get_buffer returns `room()`, buffer_updated calls `filled(n)`. What the handshake
    has read beyond its end goes through `feed`.
    """

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._cipher = AESGCM(key)
        self._buffer = memoryview(bytearray(_BUFFER))
        self._begin = 0
        self._end = 0

    def room(self) -> memoryview:
        """Return where the next bytes of the link belong; valid until the next call."""
        if self._begin:
            rest = self._end - self._begin
            self._buffer[:rest] = self._buffer[self._begin : self._end]
            self._begin, self._end = 0, rest
        return self._buffer[self._end :]

    def filled(self, size: int) -> Iterator[bytes]:
        """Return the frames (for `frames.parse`) that are complete, now that `size` bytes of `room()` are filled.

        Use the iterator up, or end the link. It raises RecordError.
        """
        self._end += size
        return self._complete()

    def feed(self, data: "bytes | bytearray | memoryview") -> Iterator[bytes]:
        """Yield the frames that are complete with these bytes, however many. RecordError."""
        rest = memoryview(data)
        while rest:
            room = self.room()
            size = min(len(room), len(rest))
            room[:size] = rest[:size]
            rest = rest[size:]
            yield from self.filled(size)

    def _complete(self) -> Iterator[bytes]:
        while self._end - self._begin >= _SIZE:
            content = self._begin + _SIZE
            size = int.from_bytes(self._buffer[self._begin : content], "big")
            if not _LEAST <= size <= _MOST:
                raise RecordError(f"a record of {size} bytes: it is damaged, or not a record")
            if self._end - content < size:
                return
            self._begin = content + size
            yield self._open(self._buffer[content : self._begin])

    def _open(self, sealed: memoryview) -> bytes:
        counter = self.take(len(sealed) - TAG)
        try:
            return self._cipher.decrypt(nonce(counter), sealed, None)
        except InvalidTag:
            raise RecordError(f"record {counter} of a link is not authentic") from None
