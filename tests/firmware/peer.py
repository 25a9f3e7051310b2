# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units that send capsules to each other, with their hosts; and a sender that lives in the tests alone."""

import itertools
from typing import Any

from ndks_protocol import commands, errors
from ndks_protocol.capsule import CHUNK, FIRST_PIECE, TAG_SIZE, Header, HeaderKeys, Keys, MessageKeys, Opener, Sealer
from ndks_protocol.commands import AES, INDEX_BITS, MAX_CHUNK, WIRE_HEADER_SIZE
from ndks_protocol.generator import Generator
from ndks_unit.dispatcher import Dispatcher

from .exchange import ask, channels
from .member import SECRET, membership
from .memory_board import MemoryBoard

HYBRID = 1
CRYPTO = MemoryBoard()
HEADER_KEYS = HeaderKeys(CRYPTO, SECRET)
RANDOM = bytes(range(8))  # of a host

_tokens = itertools.count(1)


class FailingBoard(MemoryBoard):
    """A board whose primitives can fail."""

    is_serving = False
    uses_left = 0

    def fail_at(self, use: int) -> None:
        """Let SHA-256, AES or the watchdog fail once: at their so many-th use by handlers; 0 for never."""
        self.uses_left = use

    def sha256(self) -> Any:
        self._use()
        return super().sha256()

    def aes_ctr(self, key: "bytes | bytearray", iv: bytes, buffer: "bytearray | memoryview") -> None:
        self._use()
        super().aes_ctr(key, iv, buffer)

    def feed_watchdog(self) -> None:
        self._use()

    def _use(self) -> None:
        if self.is_serving and self.uses_left:
            self.uses_left -= 1
            if not self.uses_left:
                raise MemoryError


class Peer:
    """A member of the network of these tests, on a board of its own or on one that is given."""

    def __init__(
        self, lane: int = 1, suite: int = HYBRID, board: FailingBoard | None = None, **parameters: str
    ) -> None:
        self.board = board or FailingBoard()
        self.restart()
        if not self.unit.state.binding:
            self.ask(commands.PROVISION, *membership(suite, lane, **parameters))

    def restart(self) -> None:
        """What is in RAM is lost."""
        self.board.start()
        self.unit = Dispatcher(self.board)
        self._dispatch = self.unit._dispatch
        self.unit._dispatch = self._serve

    def ask(self, command: commands.Command, *values: Any) -> tuple[Any, ...]:
        return ask(self.board, self.unit, command, *values)

    def code(self, command: commands.Command, *values: Any) -> int:
        """The error code that is answered, 0 when it is none."""
        try:
            self.ask(command, *values)
        except errors.UnitError as error:
            return error.code
        return 0

    def begin(self, token: bytes = b"", cipher: int = AES) -> bytes:
        return self.ask(commands.SEAL_BEGIN, token or new_token(), cipher, 0, RANDOM)[0]

    def number(self) -> int:
        """The number of a message that is begun now."""
        return clear(self.begin()).number

    def seal(self, data: bytes, cipher: int = AES, mode: str = "b") -> bytes:
        """A capsule, made in either mode."""
        token = new_token()
        if mode == "b":
            return self.begin(token, cipher) + self.chunks(token, data)
        wire, tag_key, sync, aes_key = self.ask(commands.SEAL_KEYS, token, cipher, 0, RANDOM)
        sealer = Sealer(CRYPTO, HostKeys(self, token, tag_key, sync, aes_key))
        return wire + b"".join([sealer.seal(*piece) for piece in pieces(data)])

    def chunks(self, token: bytes, data: bytes) -> bytes:
        return b"".join([self.ask(commands.SEAL_CHUNK, token, *piece)[0] for piece in pieces(data)])

    def open(self, capsule: bytes, flags: int = 0, mode: str = "b") -> bytes:
        """The data of a capsule, in either mode. Nothing is accepted."""
        wire, chunks = capsule[:WIRE_HEADER_SIZE], split(capsule[WIRE_HEADER_SIZE:])
        if mode == "b":
            handle, *_ = self.ask(commands.OPEN_BEGIN, wire, flags)
            return b"".join([self.ask(commands.OPEN_CHUNK, handle, *chunk)[0] for chunk in chunks])
        handle, _, _, tag_key, sync, aes_key = self.ask(commands.OPEN_KEYS, wire, flags)
        opener = Opener(CRYPTO, HostKeys(self, handle, tag_key, known_sync(sync), aes_key))
        return b"".join([opener.open(*chunk) for chunk in chunks])

    def accept(self, capsule: bytes, allow_jump: int = 0) -> None:
        assert self.ask(commands.ACCEPT, capsule[:WIRE_HEADER_SIZE], allow_jump) == ()

    def open_code(self, capsule: bytes, flags: int = 0) -> int:
        """The error code of opening, 0 when the capsule opens."""
        try:
            self.open(capsule, flags)
        except errors.UnitError as error:
            return error.code
        return 0

    def unplug(self) -> None:
        """The host leaves without a word, and another comes."""
        self.unit.poll()
        self.board.is_connected = False
        self.unit.poll()
        self.board.is_connected = True
        channels.pop(self.unit, None)

    def _serve(self, code: int, *request: Any) -> int:
        """As the unit does; only what a session is there for may fail, not the session itself."""
        self.board.is_serving = code >= commands.NEXT_INDEX.code
        try:
            return self._dispatch(code, *request)
        finally:
            self.board.is_serving = False


class HostKeys(Keys):
    """The keys of one message as a host in mode a has them."""

    def __init__(self, peer: Peer, message: bytes, tag_key: bytes, sync: bytes, aes_key: bytes) -> None:
        self.tag_key = tag_key
        self.sync = sync
        self._peer = peer
        self._message = message
        self._aes_key = aes_key

    def apply(self, offset: int, text: bytearray) -> bytearray:
        if self._aes_key:
            padded = bytearray(offset) + text
            padded += bytes(-len(padded) % 16)
            CRYPTO.aes_ctr(self._aes_key, bytes(16), padded)
            return padded[offset : offset + len(text)]
        mixed = bytearray()
        for start in range(0, len(text), MAX_CHUNK):
            part = text[start : start + MAX_CHUNK]
            (keystream,) = self._peer.ask(commands.MESSAGE_STREAM, self._message, offset + start, len(part))
            mixed += bytes(a ^ b for a, b in zip(part, keystream, strict=True))
        return mixed

    def check(self, size: int) -> bytes:
        return self._peer.ask(commands.MESSAGE_CHECK, self._message, size)[0]


def new_token() -> bytes:
    return next(_tokens).to_bytes(8)


def known_sync(sync: bytes) -> bytes:
    """Zeros stand for a sender whose binding is not known."""
    return sync if any(sync) else b""


def pieces(data: bytes) -> list[tuple[int, int, bytes]]:
    """The pieces (number, last, data) in which a host sends the data of a message."""
    parts = [data[:FIRST_PIECE]]
    parts += [data[start : start + CHUNK] for start in range(FIRST_PIECE, len(data), CHUNK)]
    return [(number, int(number == len(parts) - 1), part) for number, part in enumerate(parts)]


def split(chunks: bytes) -> list[tuple[int, int, bytes]]:
    """The chunks (number, last, chunk) that follow the header of a capsule."""
    full = CHUNK + TAG_SIZE
    parts = [chunks[start : start + full] for start in range(0, len(chunks), full)]
    return [(number, int(number == len(parts) - 1), part) for number, part in enumerate(parts)]


def clear(capsule: bytes) -> Header:
    """The header as the members of the network see it."""
    return HEADER_KEYS.unmask(capsule[:WIRE_HEADER_SIZE])


def header(lane: int, number: int, cipher: int = AES, suite: int = HYBRID, kind: int = commands.DATA) -> Header:
    """A header as the unit of that lane would make it."""
    index = lane << INDEX_BITS | number
    salt = number.to_bytes(8)
    return Header(bytes((1, suite, cipher, kind, 0)) + index.to_bytes(8) + salt)


def wire(lane: int, number: int, **fields: int) -> bytes:
    return HEADER_KEYS.mask(header(lane, number, **fields))


def capsule(lane: int, number: int, data: bytes = b"hello", binding_id: bytes = bytes(16), **fields: int) -> bytes:
    """What the unit of that lane would seal under that number; the tests need no unit for each sender."""
    clear_header = header(lane, number, **fields)
    _, _, _, _, _, digits, secret, _, p1, p2, *_ = membership()
    keystream = Generator(p1, p2, digits).key(clear_header.index)
    keys = MessageKeys(
        CRYPTO, secret, clear_header, binding_id, lambda offset, size: keystream.read(8 * offset, 8 * size)
    )
    sealer = Sealer(CRYPTO, keys)
    return HEADER_KEYS.mask(clear_header) + b"".join([sealer.seal(*piece) for piece in pieces(data)])
