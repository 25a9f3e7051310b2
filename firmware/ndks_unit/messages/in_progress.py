# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The messages being sealed and opened in a session."""

from ndks_protocol import errors
from ndks_protocol.capsule import CHUNK, FIRST_PIECE, Header, MessageKeys, Opener, Sealer

from ..board import Board

_HISTORY = 8  # number of latest tokens, and of latest pieces of the message, that a host may repeat
_FINGERPRINT = 16  # bytes of the truncated SHA-256; enough against collisions


class Incoming:
    """The message being opened. `opener` is None in mode a. `view` is the buffer for a chunk."""

    def __init__(self, handle: bytes, keys: MessageKeys, opener: "Opener | None", view: memoryview):
        self.handle = handle
        self.keys = keys
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

    def __init__(self, token: bytes, keys: MessageKeys, sealer: "Sealer | None", view: memoryview):
        self.token = token
        self.keys = keys
        self._sealer = sealer
        self.in_mode_a = sealer is None
        self._view = view
        self._next = 0
        self._pieces: list[tuple[int, bytes]] = []  # number and fingerprint of the latest

    def wipe(self) -> None:
        """Overwrite the keys."""
        self.keys.wipe()
        if self._sealer:
            self._sealer.wipe()

    def seal(self, board: Board, number: int, last: int, data: "bytes | memoryview") -> memoryview:
        """Return the chunks of the next piece, or again of a recent one. UnitError CONFLICT, RANGE."""
        if self._sealer is None:
            raise errors.UnitError(errors.CONFLICT)
        digest = board.sha256()
        digest.update(bytes((last,)))
        digest.update(data)
        piece = (number, digest.digest()[:_FINGERPRINT])
        if piece not in self._pieces:
            self._check_next(number, last, len(data))
            # Record the piece before sealing: after a failure the host may repeat this piece, but send no other.
            self._pieces = self._pieces[1 - _HISTORY :] + [piece]
            self._next = -1 if last else number + 1
        return self._view[: self._sealer.seal_into(self._view, number, last, data)]

    def _check_next(self, number: int, last: int, size: int) -> None:
        if number != self._next:
            raise errors.UnitError(errors.CONFLICT)
        full = FIRST_PIECE if number == 0 else CHUNK
        if last > 1 or size > full or (size < full and not last):
            raise errors.UnitError(errors.RANGE)


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
