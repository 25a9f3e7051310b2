# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The messages being sealed and opened in a session."""

from ndks_protocol import errors
from ndks_protocol.capsule import CHUNK, TAG_SIZE, Header, MessageKeys, Opener, Pieces, Sealer

_HISTORY = 8  # number of the latest tokens that a host may repeat


class Incoming:
    """The message being opened. `opener` is None in mode a. `view` is the buffer for a chunk.

    `position` is that of its epoch.
    """

    def __init__(self, handle: bytes, keys: MessageKeys, opener: "Opener | None", view: memoryview, position: int):
        self.handle = handle
        self.keys = keys
        self.position = position
        self._opener = opener
        self.in_mode_a = opener is None
        self._view = view

    def wipe(self) -> None:
        """Overwrite the keys."""
        self.keys.wipe()
        if self._opener:
            self._opener.wipe()

    def open(self, number: int, last: int, chunk: "bytes | memoryview") -> memoryview:
        """Return the data of a chunk, valid until the next call. UnitError as `Opener.open`; CONFLICT in mode a."""
        if self._opener is None:
            raise errors.UnitError(errors.CONFLICT)
        return self._opener.open_into(self._view, number, last, chunk)


class Outgoing:
    """The message being sealed. `sealer` is None in mode a, where the host seals. `view` is the buffer for chunks."""

    def __init__(self, token: bytes, keys: MessageKeys, sealer: "Sealer | None", view: memoryview, position: int):
        self.token = token
        self.keys = keys
        self.position = position
        self._sealer = sealer
        self.in_mode_a = sealer is None
        self._view = view
        self._pieces = Pieces()

    def wipe(self) -> None:
        """Overwrite the keys."""
        self.keys.wipe()
        if self._sealer:
            self._sealer.wipe()

    def seal(self, number: int, last: int, data: "bytes | memoryview") -> memoryview:
        """Return the chunks of the next piece, or once more those of a recent one. UnitError CONFLICT, RANGE."""
        if self._sealer is None:
            raise errors.UnitError(errors.CONFLICT)
        before = self._pieces.check(number, last, len(data))
        chunks = self._view[: self._sealer.seal_into(self._view, number, last, data)]
        self._pieces.note(number, last, len(data), before, _tags(chunks))
        return chunks


def _tags(chunks: memoryview) -> bytes:
    """Return the tags of one or two chunks."""
    return bytes(chunks[CHUNK : CHUNK + TAG_SIZE]) + bytes(chunks[-TAG_SIZE:])


class Sealing:
    """The message being sealed, and the latest tokens, which outlive a session."""

    def __init__(self):
        self._begun: "list[tuple[bytes, tuple[object, ...], Header]]" = []  # token, request, header of the latest
        self.current: "Outgoing | None" = None

    def end(self) -> None:
        """Discard the message being sealed."""
        if self.current:
            self.current.wipe()
        self.current = None

    def forget(self) -> None:
        """Forget the tokens, whose messages are of another epoch. The message being sealed goes on."""
        self._begun = []

    def header_of(self, token: bytes, request: "tuple[object, ...]") -> "Header | None":
        """Return the header of a known token, or None. UnitError(CONFLICT): its request was different."""
        for known, its_request, header in self._begun:
            if known == token:
                if its_request != request:
                    raise errors.UnitError(errors.CONFLICT)
                return header
        return None

    def begin(self, token: bytes, request: "tuple[object, ...]", header: Header) -> None:
        """Remember the header of a new message, and discard the previous message."""
        self.end()
        self._begun = self._begun[1 - _HISTORY :] + [(token, request, header)]
