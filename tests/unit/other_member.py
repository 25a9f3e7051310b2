# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A member of a network that the tests play: it seals under any lane and number, and opens without a unit."""

import io
import itertools
import secrets

from ndks.crypto import CRYPTO
from ndks.driver.capsules import read_masked, unseal_offline
from ndks.keys.generator import FastGenerator
from ndks.network.network_file import Network
from ndks_protocol import commands
from ndks_protocol.capsule import CHUNK, FIRST_PIECE, SYNC_SIZE, TAG_SIZE, Header, HeaderKeys, MessageKeys, Sealer

NO_BINDING_ID = bytes(16)
HEADER_SIZE = commands.WIRE_HEADER_SIZE
FULL_CHUNK = CHUNK + TAG_SIZE

# What the borders of chunks make special: nothing, the check value alone in a chunk or cut in two, a full last chunk.
SIZES = [0, 1, CHUNK - 2 * SYNC_SIZE, FIRST_PIECE, FIRST_PIECE + 1, CHUNK, 2 * CHUNK - SYNC_SIZE]


class OtherMember:
    """The unit of one lane, and its host; numbers go on from `first`."""

    def __init__(self, network: Network, lane: int, first: int = 1, binding_id: bytes = NO_BINDING_ID) -> None:
        self._network = network
        self._lane = lane
        self._binding_id = binding_id
        self.numbers = itertools.count(first)

    def seal(self, data: bytes, cipher: str = "vernam", number: int = 0) -> bytes:
        """Return a capsule under the number given, or the next."""
        header = self._header(cipher, number or next(self.numbers))
        keystream = FastGenerator.of(self._network).key(header.index)
        keys = MessageKeys(
            CRYPTO,
            self._network.secret,
            header,
            self._binding_id,
            lambda offset, size: keystream.read(8 * offset, 8 * size),
        )
        sealer = Sealer(CRYPTO, keys)
        chunks = b"".join(sealer.seal(*piece) for piece in _pieces(data))
        return HeaderKeys(CRYPTO, self._network.secret).mask(header) + chunks

    def wire_header(self, number: int = 0) -> bytes:
        """Return the header alone, of a capsule under the number given, or the next."""
        return HeaderKeys(CRYPTO, self._network.secret).mask(self._header("vernam", number or next(self.numbers)))

    def _header(self, cipher: str, number: int) -> Header:
        suite = commands.SUITES.index(self._network.suite)
        return Header.new(suite, commands.CIPHERS.index(cipher), self._lane, number, secrets.token_bytes(8))


def open_offline(network: Network, capsule: bytes) -> bytes:
    """Return what a capsule of the network carries."""
    sink = io.BytesIO()
    unseal_offline(network, io.BytesIO(capsule), sink, lambda _: None)
    return sink.getvalue()


def header_of(network: Network, capsule: bytes) -> Header:
    """Return what members see in the header of a capsule."""
    return read_masked(network, capsule[:HEADER_SIZE])


def size_of_capsule(size: int) -> int:
    """Return the bytes of a capsule for so many bytes of data."""
    text = 2 * SYNC_SIZE + size
    return HEADER_SIZE + text + -(-text // CHUNK) * TAG_SIZE


def flipped(capsule: bytes, position: int) -> bytes:
    """Return a capsule with one bit changed on its way."""
    altered = bytearray(capsule)
    altered[position] ^= 1
    return bytes(altered)


def _pieces(data: bytes) -> list[tuple[int, int, bytes]]:
    parts = [data[:FIRST_PIECE]]
    parts += [data[start : start + CHUNK] for start in range(FIRST_PIECE, len(data), CHUNK)]
    return [(number, int(number == len(parts) - 1), part) for number, part in enumerate(parts)]
