# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two implementations of the host's end of a session: by the project's own code, and by PROTOCOL.md alone.

`binding` is None for the anonymous session of a blank unit.
"""

import functools
from typing import NamedTuple

import session_reference
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from x25519_reference import public_key, x25519

from ndks.crypto import CRYPTO
from ndks_protocol.binding import BindingKeys
from ndks_protocol.session import HOST, OVERHEAD, SYNC_SIZE, UNIT, SecureChannel, proof, session_key, transcript

PRIVATE = bytes(range(1, 33))  # the hosts of these tests use one key pair for all sessions: it makes them reproducible
PUBLIC = public_key(PRIVATE)
RANDOM = b"random of a host"
SHARE = PUBLIC, RANDOM  # the values of OPEN_SESSION


class Said(NamedTuple):
    """What unit and host have said before the proofs."""

    hello: bytes  # the payload of the answer to HELLO
    unit_public: bytes
    unit_random: bytes
    host_random: bytes = RANDOM


_PAIR = X25519PrivateKey.from_private_bytes(PRIVATE)


@functools.lru_cache(maxsize=4)  # hosts that try several bindings ask again
def _shared(unit_public: bytes) -> bytes:
    return _PAIR.exchange(X25519PublicKey.from_public_bytes(unit_public))


@functools.lru_cache(maxsize=16)
def _keys_of(binding: bytes) -> BindingKeys:
    return BindingKeys(CRYPTO, binding)


class ProjectSession:
    """A session by the project's own code, with the curve of `cryptography`."""

    def __init__(self, binding: bytes | None, said: Said) -> None:
        keys = _keys_of(binding) if binding else None
        self.kek = keys.kek if keys else b""
        self._hash = transcript(CRYPTO, said.hello, PUBLIC + said.host_random, said.unit_public + said.unit_random)
        self._key = session_key(CRYPTO, keys.auth if keys else None, _shared(said.unit_public), self._hash)
        self.unit_proof = proof(CRYPTO, self._key, UNIT, self._hash)

    @functools.cached_property
    def host_proof(self) -> bytes:
        return proof(CRYPTO, self._key, HOST, self._hash)

    @functools.cached_property
    def _channel(self) -> SecureChannel:
        return SecureChannel(CRYPTO, self._key, self._hash, HOST)

    def secured(self, kind: int, request_id: int, body: bytes) -> bytes:
        """Return the payload of the next frame."""
        view = memoryview(bytearray(len(body) + OVERHEAD))
        view[SYNC_SIZE : SYNC_SIZE + len(body)] = body
        return bytes(view[: self._channel.seal(kind, request_id, view, len(body))])

    def opened(self, kind: int, request_id: int, payload: bytes) -> bytes | None:
        """Return the body of the unit's next frame; None for any other frame."""
        body = self._channel.open(kind, request_id, memoryview(bytearray(payload)))
        return None if body is None else bytes(body)


class ReferenceSession(session_reference.Session):
    """A session by PROTOCOL.md, with hashlib, hmac, cryptography's AES, and X25519 as RFC 7748 writes it."""

    def __init__(self, binding: bytes | None, said: Said) -> None:
        keys = session_reference.Binding(binding) if binding else None
        shared = x25519(PRIVATE, said.unit_public)
        shares = PUBLIC + said.host_random, said.unit_public + said.unit_random
        super().__init__(keys.auth if keys else None, shared, said.hello, *shares)
        self.kek = keys.kek if keys else b""
