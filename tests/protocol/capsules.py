# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Whole capsules, sealed and opened by the product's code."""

from dataclasses import replace
from itertools import product

from support.public_network import public_network
from support.reference import message

from ndks.network.network_file import Network
from ndks_protocol.capsule import CHUNK, FIRST_PIECE, TAG_SIZE, Header, HeaderKeys, MessageKeys, Opener, Sealer
from ndks_protocol.commands import CIPHERS, SUITES, WIRE_HEADER_SIZE
from ndks_protocol.generator import Generator
from protocol.plain_crypto import CRYPTO

WIRE_CHUNK = CHUNK + TAG_SIZE
OWN_LANE = 1
BINDING_ID = bytes(range(16))
NETWORKS = [replace(public_network(), suite=suite, cipher=cipher) for suite, cipher in product(SUITES, CIPHERS)]
NETWORK_NAMES = [f"{network.suite}-{network.cipher}" for network in NETWORKS]


def new_header(network: Network, lane: int, number: int, salt: bytes = bytes(8)) -> Header:
    return Header.new(SUITES.index(network.suite), CIPHERS.index(network.cipher), lane, number, salt)


def keys_of(network: Network, header: Header, binding_id: bytes = BINDING_ID) -> MessageKeys:
    paper = Generator(network.p1, network.p2, network.digits).key(header.index)
    return MessageKeys(
        CRYPTO, network.secret, header, binding_id, lambda offset, size: paper.read(8 * offset, 8 * size)
    )


def reference_capsule(network: Network, number: int, data: bytes, salt: bytes = bytes(8)) -> bytes:
    """A capsule of lane 2, not by the product's code."""
    return message(network, 2, number, data, salt=salt, binding_id=BINDING_ID).capsule


def pieces_of(data: bytes) -> list[bytes]:
    """The data as SEAL_CHUNK takes it."""
    return [data[:FIRST_PIECE], *(data[start : start + CHUNK] for start in range(FIRST_PIECE, len(data), CHUNK))]


def sealed(network: Network, header: Header, data: bytes, keys: MessageKeys | None = None) -> bytes:
    sealer = Sealer(CRYPTO, keys or keys_of(network, header))
    pieces = pieces_of(data)
    chunks = [sealer.seal(i, int(i == len(pieces) - 1), piece) for i, piece in enumerate(pieces)]
    return HeaderKeys(CRYPTO, network.secret).mask(header) + b"".join(chunks)


def chunks_of(capsule: bytes) -> list[bytes]:
    """What follows the header; never nothing, for an end that is missing is found by the last chunk."""
    starts = range(WIRE_HEADER_SIZE, max(len(capsule), WIRE_HEADER_SIZE + 1), WIRE_CHUNK)
    return [capsule[start : start + WIRE_CHUNK] for start in starts]


def open_into(data: bytearray, network: Network, capsule: bytes, binding_id: bytes = BINDING_ID) -> None:
    """Open a capsule as a unit of lane 1 does; when it raises UnitError, `data` holds what came out before that."""
    header = HeaderKeys(CRYPTO, network.secret).unmask(capsule[:WIRE_HEADER_SIZE])
    header.check(SUITES.index(network.suite), OWN_LANE)
    opener = Opener(CRYPTO, keys_of(network, header, binding_id))
    chunks = chunks_of(capsule)
    for i, chunk in enumerate(chunks):
        data += opener.open(i, int(i == len(chunks) - 1), chunk)


def opened(network: Network, capsule: bytes, binding_id: bytes = BINDING_ID) -> bytes:
    data = bytearray()
    open_into(data, network, capsule, binding_id)
    return bytes(data)
