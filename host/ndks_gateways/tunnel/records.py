# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Records, what a link carries after its handshake: size u24 | AES-256-GCM(key, 0 u32 || counter u64, frame).

`size` counts what follows. Each direction of a link has a key; its counter begins with 0 and goes up by 1 a record. Keys
live in memory only, so no counter comes twice with a key.
"""

from collections.abc import Iterator

from ndks.exceptions import NdksError

MOST_RECORDS = 1 << 24  # under one key
MOST_OCTETS = 64 << 30  # of frames, under one key


class RecordError(NdksError):
    """A record is damaged, of another key, out of turn or too large, or the key is used up. Its link ends."""

    code = "TUNNEL_RECORD"
    exit_status = 4
    usual_advice = "the tunnel makes a new link by itself; if this stays, look for what changes its bytes on the way"


class Sealer:
    """Seals the frames of one direction of one link."""

    def __init__(self, key: bytes) -> None:
        self.records = 0
        self.octets = 0  # of frames

    @property
    def is_spent(self) -> bool:
        """7/8 of what a key may seal are sealed: time for another link."""
        raise NotImplementedError

    def seal(self, content: bytes) -> bytes:
        """Return a frame as a record. RecordError: the key is used up."""
        raise NotImplementedError


class Opener:
    """Opens the records of one direction of one link, out of a buffer of its own.

    It fits asyncio.BufferedProtocol: get_buffer returns `room()`, buffer_updated calls `filled(n)`. What the handshake
    has read too far goes through `feed`.
    """

    def __init__(self, key: bytes) -> None:
        self.records = 0
        self.octets = 0

    @property
    def is_spent(self) -> bool:
        """See Sealer."""
        raise NotImplementedError

    def room(self) -> memoryview:
        """Return where the next bytes of the link belong; valid until the next call."""
        raise NotImplementedError

    def filled(self, size: int) -> Iterator[bytes]:
        """Yield the frames (for `frames.parse`) that are complete, now that so many bytes of `room()` are filled.

        Use the iterator up, or end the link. RecordError.
        """
        raise NotImplementedError

    def feed(self, data: "bytes | bytearray | memoryview") -> Iterator[bytes]:
        """Yield the frames that are complete with these bytes of any number. RecordError."""
        raise NotImplementedError
