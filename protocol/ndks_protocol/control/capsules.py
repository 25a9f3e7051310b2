# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Capsules of kind 1: beacons and notices, in one chunk, under a key other than the secret of an epoch.

Their paper bits are all 0, so they need no generator, and their sync word is that of a binding id of zeros.
"""

from ndks_protocol.capsule import LARGEST_PIECE, Header, HeaderKeys, MessageKeys, Opener, Sealer
from ndks_protocol.kdf import Crypto
from ndks_protocol.wire import HYBRID, OF_CONTROL, VERNAM, WIRE_HEADER_SIZE

_NO_BINDING = bytes(16)
_PIECE = 256  # of the keystream at once: a fragmented heap may have no larger block


def seal_control(
    crypto: Crypto, key: "bytes | bytearray", header_keys: HeaderKeys, sender: tuple[int, int], salt: bytes, data: bytes
) -> bytes:
    """Return a capsule of kind 1 under `key`; `sender` is lane and number. Never reuse a number for other data."""
    header = control_header(*sender, salt)
    view = memoryview(bytearray(LARGEST_PIECE))
    return header_keys.mask(header) + bytes(seal_chunk(crypto, key, header, data, view))


def open_control(crypto: Crypto, key: "bytes | bytearray", header: Header, capsule: bytes) -> bytes:
    """Return the data of a capsule whose header is unmasked already. UnitError AUTH, DIVERGED, BINDING."""
    view = memoryview(bytearray(LARGEST_PIECE))
    return bytes(open_chunk(crypto, key, header, memoryview(capsule)[WIRE_HEADER_SIZE:], view))


def control_header(lane: int, number: int, salt: bytes) -> Header:
    """Return the header of a capsule of kind 1."""
    return Header.new(HYBRID, VERNAM, lane, number, salt, OF_CONTROL)


def seal_chunk(crypto: Crypto, key: "bytes | bytearray", header: Header, data: bytes, view: memoryview) -> memoryview:
    """Return the only chunk, in `view`, which has LARGEST_PIECE bytes."""
    keys = _keys(crypto, key, header)
    sealer = Sealer(crypto, keys)
    try:
        return view[: sealer.seal_into(view, 0, 1, data)]
    finally:
        sealer.wipe()
        keys.wipe()


def open_chunk(
    crypto: Crypto, key: "bytes | bytearray", header: Header, chunk: "bytes | memoryview", view: memoryview
) -> memoryview:
    """Return the data, in `view`, which has LARGEST_PIECE bytes. UnitError AUTH, DIVERGED, BINDING."""
    keys = _keys(crypto, key, header)
    opener = Opener(crypto, keys)
    try:
        return opener.open_into(view, 0, 1, chunk)
    finally:
        opener.wipe()
        keys.wipe()


def _keys(crypto: Crypto, key: "bytes | bytearray", header: Header) -> MessageKeys:
    return MessageKeys(crypto, key, header, _NO_BINDING, _no_paper, _PIECE)


def _no_paper(_: int, size: int) -> bytearray:
    return bytearray(size)
