# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A simulated member of a network that seals under any lane and number, and opens without a unit."""

import io
import itertools
import secrets

from hosts.capsules import NO_BINDING_ID, WIRE_CHUNK, keys_of, sealed

from ndks.crypto import CRYPTO
from ndks.driver.offline_capsules import read_masked, unseal_offline
from ndks.keys.generator import VectorGenerator
from ndks.network.network_file import Network
from ndks_protocol import commands
from ndks_protocol.capsule import CHUNK, FIRST_PIECE, SYNC_SIZE, TAG_SIZE, Header, HeaderKeys, header_keys

HEADER_SIZE = commands.WIRE_HEADER_SIZE
FULL_CHUNK = WIRE_CHUNK

# Special sizes: no data, the key check value alone in a chunk or split, a full last chunk.
SIZES = [0, 1, CHUNK - 2 * SYNC_SIZE, FIRST_PIECE, FIRST_PIECE + 1, CHUNK, 2 * CHUNK - SYNC_SIZE]


class OtherMember:
    """The unit of one lane and its host. Numbers start at `first`."""

    def __init__(self, network: Network, lane: int, first: int = 1, binding_id: bytes = NO_BINDING_ID) -> None:
        self._network = network
        self._lane = lane
        self._binding_id = binding_id
        self.numbers = itertools.count(first)

    def seal(self, data: bytes, cipher: str = "vernam", number: int = 0) -> bytes:
        """Return a capsule under the number given, or the next."""
        header = self._header(cipher, number or next(self.numbers))
        keys = keys_of(self._network, header, self._binding_id, VectorGenerator.of(self._network))
        return sealed(self._network, header, data, keys)

    def wire_header(self, number: int = 0) -> bytes:
        """Return the header alone, of a capsule under the number given, or the next."""
        return HeaderKeys(CRYPTO, header_keys(CRYPTO, self._network.secret)).mask(
            self._header("vernam", number or next(self.numbers))
        )

    def _header(self, cipher: str, number: int) -> Header:
        suite = commands.SUITES.index(self._network.suite)
        return Header.new(suite, commands.CIPHERS.index(cipher), self._lane, number, secrets.token_bytes(8))


def open_offline(network: Network, capsule: bytes) -> bytes:
    """Return the data of a capsule of the network."""
    sink = io.BytesIO()
    unseal_offline(network, io.BytesIO(capsule), sink, lambda _: None)
    return sink.getvalue()


def header_of(network: Network, capsule: bytes) -> Header:
    """Return the unmasked header of a capsule."""
    return read_masked(network, capsule[:HEADER_SIZE])


def size_of_capsule(size: int) -> int:
    """Return the size of a capsule for `size` bytes of data."""
    text = 2 * SYNC_SIZE + size
    return HEADER_SIZE + text + -(-text // CHUNK) * TAG_SIZE


def flipped(capsule: bytes, position: int) -> bytes:
    """Return a capsule with one bit flipped."""
    altered = bytearray(capsule)
    altered[position] ^= 1
    return bytes(altered)
