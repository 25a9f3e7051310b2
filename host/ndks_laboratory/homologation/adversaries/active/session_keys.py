# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys of recorded sessions, sought in a copy of flash: keys of this protocol, and of protocol 2.0."""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from ndks.crypto import CRYPTO
from ndks_laboratory.homologation.system import RecordedSession
from ndks_protocol.kdf import same
from ndks_protocol.session import (
    HOST,
    PROOF_SIZE,
    PUBLIC_KEY_SIZE,
    UNIT,
    SecureChannel,
    proof,
    session_key,
    transcript,
)

_KEY_SIZE = 32
_AROUND = 4096  # bytes before and after a mark: a unit's records are there
_DISTINCT = 12  # least number of different bytes in 32; random bytes have fewer once in 2^60


def possible_keys(contents: Iterable[bytes], mark: bytes, size: int = _KEY_SIZE) -> list[bytes]:
    """Return all pieces of `size` bytes around a mark that could be a key, or several side by side."""
    around = (content[max(0, at - _AROUND) : at + _AROUND] for content in contents for at in _places(content, mark))
    found = {part[start : start + size] for part in around for start in range(len(part) - size + 1)}
    return sorted(piece for piece in found if len(set(piece)) >= _DISTINCT)


def key_pairs(privates: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return private keys of X25519 by their public keys."""
    return {_private(each).public_key().public_bytes_raw(): each for each in privates}


def opened(session: RecordedSession, tried: Sequence[bytes], pairs: dict[bytes, bytes]) -> bytes:
    """Return the bodies of the unit's answers in a session, or b"" if none of the keys opens it."""
    for secret, transcript_hash in (*_of_2_0(session, tried), *_of_3_0(session, tried, pairs)):
        if same(proof(CRYPTO, secret, UNIT, transcript_hash), session.opened[-PROOF_SIZE:]):
            return b"".join(_bodies(session, SecureChannel(CRYPTO, secret, transcript_hash, HOST)))
    return b""


def transcript_of_2_0(hello: bytes, randoms: bytes) -> bytes:
    """Return the transcript hash of protocol 2.0, in which A stood in the place of the session key."""
    return hashlib.sha256(b"ndks session 1\0" + struct.pack(">H", len(hello)) + hello + randoms).digest()


def _of_2_0(session: RecordedSession, tried: Sequence[bytes]) -> Iterator[tuple[bytes | bytearray, bytes]]:
    transcript_hash = transcript_of_2_0(session.hello, session.opening + session.opened[:-PROOF_SIZE])
    return ((auth, transcript_hash) for auth in tried)


def _of_3_0(
    session: RecordedSession, tried: Sequence[bytes], pairs: dict[bytes, bytes]
) -> Iterator[tuple[bytes | bytearray, bytes]]:
    transcript_hash = transcript(CRYPTO, session.hello, session.opening, session.opened[:-PROOF_SIZE])
    host, unit = session.opening[:PUBLIC_KEY_SIZE], session.opened[:PUBLIC_KEY_SIZE]
    shared = [_shared(pairs[own], other) for own, other in ((host, unit), (unit, host)) if own in pairs]
    return (
        (session_key(CRYPTO, auth, secret, transcript_hash), transcript_hash) for secret in shared for auth in tried
    )


def _bodies(session: RecordedSession, channel: SecureChannel) -> Iterator[bytes]:
    for answer in session.answers:
        body = channel.open(answer.kind, answer.request_id, memoryview(bytearray(answer.payload)))
        yield bytes(body or b"")


def _private(key: bytes) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(key)


def _shared(private: bytes, public: bytes) -> bytes:
    return _private(private).exchange(X25519PublicKey.from_public_bytes(public))


def _places(content: bytes, mark: bytes) -> Iterator[int]:
    at = content.find(mark)
    while at >= 0:
        yield at
        at = content.find(mark, at + 1)
