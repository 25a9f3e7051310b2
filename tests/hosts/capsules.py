# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Capsules of any member of a network, by the project's own code, with any lane, number, header and keys."""

from collections.abc import Callable
from typing import Any

from ndks.crypto import CRYPTO
from ndks.network.network_file import Network
from ndks_protocol import commands
from ndks_protocol.capsule import (
    CHUNK,
    FIRST_PIECE,
    TAG_SIZE,
    Header,
    HeaderKeys,
    Keys,
    MessageKeys,
    Opener,
    Sealer,
    header_keys,
)
from ndks_protocol.commands import MAX_CHUNK, WIRE_HEADER_SIZE
from ndks_protocol.generator import Generator
from ndks_protocol.kdf import Crypto

WIRE_CHUNK = CHUNK + TAG_SIZE
NO_BINDING_ID = bytes(16)

Piece = tuple[int, int, bytes]  # number, whether it is the last, data
Ask = Callable[..., tuple[Any, ...]]  # a command and its fields: those of the answer


def keys_of(
    network: Network,
    header: Header,
    binding_id: bytes = NO_BINDING_ID,
    generator: Any = None,
    crypto: Crypto = CRYPTO,
) -> MessageKeys:
    """Return the keys of a message of the network, by another generator if one is given."""
    own = Generator(network.p1, network.p2, network.digits, network.f1, network.f2)
    paper = (generator or own).key(header.index)
    return MessageKeys(
        crypto, network.secret, header, binding_id, lambda offset, size: paper.read(8 * offset, 8 * size)
    )


def sealed(network: Network, header: Header, data: bytes, keys: Keys | None = None, crypto: Crypto = CRYPTO) -> bytes:
    sealer = Sealer(crypto, keys or keys_of(network, header))
    return HeaderKeys(crypto, header_keys(crypto, network.secret)).mask(header) + b"".join(
        sealer.seal(*piece) for piece in pieces_of(data)
    )


class KeysOfUnit(Keys):
    """The keys of one message that a host in mode a gets from its unit."""

    def __init__(self, ask: Ask, message: bytes, tag_key: bytes, sync: bytes, aes_key: bytes) -> None:
        self.tag_key = tag_key
        self.sync = sync if any(sync) else b""  # zeros stand for a sender whose binding is not known
        self._ask, self._message, self._aes_key = ask, message, aes_key

    def apply(self, offset: int, text: memoryview) -> None:
        if self._aes_key:
            padded = bytearray(offset) + text
            padded += bytes(-len(padded) % 16)
            CRYPTO.aes_ctr(self._aes_key, bytes(16), padded)
            text[:] = padded[offset : offset + len(text)]
            return
        for start in range(0, len(text), MAX_CHUNK):
            part = text[start : start + MAX_CHUNK]
            (keystream,) = self._ask(commands.MESSAGE_STREAM, self._message, offset + start, len(part))
            part[:] = bytes(a ^ b for a, b in zip(part, keystream, strict=True))

    def check(self, size: int) -> bytes:
        return self._ask(commands.MESSAGE_CHECK, self._message, size)[0]


def opener_of(ask: Ask, wire_header: bytes, flags: int, mode: str) -> Callable[[int, int, bytes], bytes]:
    """Begin to open a capsule with a unit, in either mode; return the function that opens its chunks."""
    if mode == "b":
        handle, *_ = ask(commands.OPEN_BEGIN, wire_header, flags)
        return lambda *chunk: ask(commands.OPEN_CHUNK, handle, *chunk)[0]
    handle, _, _, tag_key, sync, _, _, aes_key = ask(commands.OPEN_KEYS, wire_header, flags)
    return Opener(CRYPTO, KeysOfUnit(ask, handle, tag_key, sync, aes_key)).open


def pieces_of(data: bytes) -> list[Piece]:
    """Return the data of a message in pieces for SEAL_CHUNK."""
    starts = range(FIRST_PIECE, len(data), CHUNK)
    return _numbered([data[:FIRST_PIECE], *(data[start : start + CHUNK] for start in starts)])


def chunks_of(capsule: bytes) -> list[Piece]:
    """Return the chunks of a capsule for OPEN_CHUNK: at least one, because the last chunk marks the end."""
    starts = range(WIRE_HEADER_SIZE, max(len(capsule), WIRE_HEADER_SIZE + 1), WIRE_CHUNK)
    return _numbered([capsule[start : start + WIRE_CHUNK] for start in starts])


def _numbered(parts: list[bytes]) -> list[Piece]:
    return [(number, int(number == len(parts) - 1), part) for number, part in enumerate(parts)]
