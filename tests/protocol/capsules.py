# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Whole capsules, sealed and opened by the protocol package."""

from dataclasses import replace
from itertools import product

from hosts import capsules
from support.public_network import public_network
from support.reference import message

from ndks.network.network_file import Network
from ndks_protocol.capsule import Header, HeaderKeys, MessageKeys, Opener, header_keys
from ndks_protocol.commands import CIPHERS, SUITES, WIRE_HEADER_SIZE
from protocol.plain_crypto import CRYPTO

OWN_LANE = 1
BINDING_ID = bytes(range(16))
NETWORKS = [replace(public_network(), suite=suite, cipher=cipher) for suite, cipher in product(SUITES, CIPHERS)]
NETWORK_NAMES = [f"{network.suite}-{network.cipher}" for network in NETWORKS]


def new_header(network: Network, lane: int, number: int, salt: bytes = bytes(8)) -> Header:
    return Header.new(SUITES.index(network.suite), CIPHERS.index(network.cipher), lane, number, salt)


def keys_of(network: Network, header: Header, binding_id: bytes = BINDING_ID) -> MessageKeys:
    return capsules.keys_of(network, header, binding_id, crypto=CRYPTO)


def reference_capsule(network: Network, number: int, data: bytes, salt: bytes = bytes(8)) -> bytes:
    """Return a capsule of lane 2, made by the reference implementation."""
    return message(network, 2, number, data, salt=salt, binding_id=BINDING_ID).capsule


def pieces_of(data: bytes) -> list[bytes]:
    return [piece for _, _, piece in capsules.pieces_of(data)]


def sealed(network: Network, header: Header, data: bytes, keys: MessageKeys | None = None) -> bytes:
    return capsules.sealed(network, header, data, keys or keys_of(network, header), CRYPTO)


def chunks_of(capsule: bytes) -> list[bytes]:
    return [chunk for _, _, chunk in capsules.chunks_of(capsule)]


def open_into(data: bytearray, network: Network, capsule: bytes, binding_id: bytes = BINDING_ID) -> None:
    """Open a capsule as a unit of lane 1 does. After a UnitError, `data` has the data returned before it."""
    header = HeaderKeys(CRYPTO, header_keys(CRYPTO, network.secret)).unmask(capsule[:WIRE_HEADER_SIZE])
    header.check(SUITES.index(network.suite), OWN_LANE)
    opener = Opener(CRYPTO, keys_of(network, header, binding_id))
    for chunk in capsules.chunks_of(capsule):
        data += opener.open(*chunk)


def opened(network: Network, capsule: bytes, binding_id: bytes = BINDING_ID) -> bytes:
    data = bytearray()
    open_into(data, network, capsule, binding_id)
    return bytes(data)
