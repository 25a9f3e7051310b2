# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages that go out: SEAL_BEGIN, SEAL_CHUNK, SEAL_KEYS (PROTOCOL.md section 4).

No keystream is ever used for two texts: a token begins one message, a piece of it once given cannot be given otherwise.
"""

from ndks_protocol import commands, errors
from ndks_protocol.capsule import CHUNK, FIRST_PIECE, LARGEST_PIECE, Header, Sealer

_REMEMBERED = 8  # tokens, and pieces of the present message, for hosts that ask again
_FINGERPRINT = 16  # bytes: so long that nobody finds two pieces with the same one
_MODE_A = "a"
_MODE_B = "b"


class Outgoing:
    """The message that is being sealed in this session; `sealer` is None in mode a, where the host does it."""

    def __init__(self, token: bytes, keys, sealer):
        self.token = token
        self.keys = keys
        self.in_mode_a = sealer is None
        self._sealer = sealer
        self._view = memoryview(bytearray(LARGEST_PIECE if sealer else 0))
        self._next = 0
        self._pieces = []  # (number, fingerprint) of the latest

    def wipe(self) -> None:
        """Overwrite its keys."""
        self.keys.wipe()
        if self._sealer:
            self._sealer.wipe()

    def seal(self, board, number: int, last: int, data):
        """Return the chunks of a piece, also of one that was given before; UnitError CONFLICT, RANGE."""
        if self.in_mode_a:
            raise errors.UnitError(errors.CONFLICT)
        digest = board.sha256()
        digest.update(bytes((last,)))
        digest.update(data)
        piece = (number, digest.digest()[:_FINGERPRINT])
        if piece not in self._pieces:
            if number != self._next:
                raise errors.UnitError(errors.CONFLICT)
            full = FIRST_PIECE if number == 0 else CHUNK
            if last > 1 or len(data) > full or (len(data) < full and not last):
                raise errors.UnitError(errors.RANGE)
            # Before anything is made: should that fail, this piece can be asked for again, and no other.
            self._pieces = self._pieces[1 - _REMEMBERED :] + [piece]
            self._next = -1 if last else number + 1
        return self._view[: self._sealer.seal_into(self._view, number, last, data)]


class Sealing:
    """What the unit remembers of the messages it has begun."""

    def __init__(self):
        self._begun = []  # (token, request, header) of the latest
        self.current = None

    def end(self) -> None:
        """Let no message go on after this."""
        if self.current:
            self.current.wipe()
        self.current = None

    def begin(self, unit, token: bytes, mode: str, cipher: int, kind: int, random: bytes) -> Header:
        """Return the header of the message of this token: a new one, or the same again for the same request."""
        request = (mode, cipher, kind, random)
        for known, its_request, header in self._begun:
            if known == token:
                if its_request != request:
                    raise errors.UnitError(errors.CONFLICT)
                return header
        header = self._new_header(unit, cipher, kind, random)
        keys = unit.messages.own_keys(header)
        self.end()
        self._begun = self._begun[1 - _REMEMBERED :] + [(token, request, header)]
        self.current = Outgoing(token, keys, Sealer(unit.board, keys) if mode == _MODE_B else None)
        return header

    def keys_of(self, unit, token: bytes, header: Header):
        """Return the keys of a message that was begun with this token."""
        if self.current and self.current.token == token:
            return self.current.keys
        return unit.messages.own_keys(header)

    def _new_header(self, unit, cipher: int, kind: int, random: bytes) -> Header:
        if cipher >= len(commands.CIPHERS) or kind not in (commands.DATA, commands.CONTROL):
            raise errors.UnitError(errors.RANGE)
        if kind != commands.DATA:
            raise errors.UnitError(errors.KIND)
        digest = unit.board.sha256()
        digest.update(random + unit.board.entropy(len(random)))
        number = unit.messages.message_counters.take()
        return Header.new(unit.member.suite, cipher, unit.member.lane, number, digest.digest()[:8])


def seal_begin(unit, token: bytes, cipher: int, kind: int, random: bytes) -> tuple:
    header = unit.messages.sealing.begin(unit, token, _MODE_B, cipher, kind, random)
    return (unit.messages.header_keys.mask(header),)


def seal_keys(unit, token: bytes, cipher: int, kind: int, random: bytes) -> tuple:
    header = unit.messages.sealing.begin(unit, token, _MODE_A, cipher, kind, random)
    keys = unit.messages.sealing.keys_of(unit, token, header)
    return unit.messages.header_keys.mask(header), keys.tag_key, keys.sync, keys.aes_key


def seal_chunk(unit, token: bytes, number: int, last: int, data: bytes) -> tuple:
    message = unit.messages.sealing.current
    if message is None or message.token != token:
        raise errors.UnitError(errors.CONFLICT)
    return (message.seal(unit.board, number, last, data),)
