# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Recorded sessions, opened with what somebody holds: those of PROTOCOL.md section 6, and those of protocol 2.0."""

import functools
import hashlib
import hmac
import struct
from collections import Counter
from collections.abc import Iterable, Iterator

from capsule_reference import derive
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from session_reference import Direction
from wire_codes import C

from .recording import ERROR, Exchange, Recording, exchanges

PUBLIC, PROOF = 32, 16  # bytes
SHARE = PUBLIC + 16  # an ephemeral public key, and random bytes
ANONYMOUS = bytes(32)  # the A of a blank unit
OLD_MAJOR = 2
Keys = frozenset[bytes]  # private keys of X25519, or pieces that might be some
NO_KEYS: Keys = frozenset()


class OpenedSession:
    """The proofs and the keys of frames of a session: all of them come from one secret and the transcript."""

    def __init__(self, secret: bytes, transcript: bytes) -> None:
        self.unit_proof = derive(secret, "ndks unit proof", transcript)[:PROOF]
        self.host_proof = derive(secret, "ndks host proof", transcript)[:PROOF]
        self.to_unit = Direction(secret, "h2u", transcript)
        self.to_host = Direction(secret, "u2h", transcript)

    def decrypted(self, heard: Exchange) -> Exchange | None:
        """Return the next exchange in the clear; None if it is not of this session."""
        request = self.to_unit.opened(heard.command, heard.request_id, heard.request)
        answer = self.to_host.opened(heard.kind, heard.request_id, heard.answer)
        return None if request is None or answer is None else heard._replace(request=request, answer=answer)


def session_2(auth: bytes, hello: bytes, randoms: bytes) -> OpenedSession:
    """Return a session of protocol 2.0, whose secret is A."""
    return OpenedSession(auth, _transcript("ndks session 1", hello, randoms))


def session_3(auth: bytes, shared: bytes, hello: bytes, shares: bytes) -> OpenedSession:
    """Return a session of A and the secret that the ephemeral keys of both shares have in common."""
    transcript = _transcript("ndks session 3", hello, shares)
    label = "ndks session 3 anonymous" if auth == ANONYMOUS else "ndks session 3"
    return OpenedSession(derive(hmac.digest(auth, shared, hashlib.sha256), label, transcript), transcript)


def begun(auth: bytes, hello: bytes, heard: Exchange, privates: Keys = NO_KEYS) -> OpenedSession | None:
    """Return the session that this OPEN_SESSION began, if A and one of the private keys are those that were used."""
    if heard.kind == ERROR:
        return None
    shares = heard.request + heard.answer[:-PROOF]
    if hello[0] == OLD_MAJOR:
        candidates = [session_2(auth, hello, shares)]
    else:
        candidates = [session_3(auth, shared, hello, shares) for shared in _shared_secrets(heard, privates)]
    return next((each for each in candidates if hmac.compare_digest(each.unit_proof, heard.answer[-PROOF:])), None)


def opened(auth: bytes, recording: Recording, privates: Keys = NO_KEYS) -> Iterator[Exchange]:
    """Yield, in the clear, what was said in all sessions that A and one of the private keys open."""
    hello, prepared, session = b"", None, None
    for heard in exchanges(recording):
        if heard.command == C.HELLO:
            hello, prepared, session = heard.answer, None, None
        elif heard.command == C.OPEN_SESSION:
            prepared, session = begun(auth, hello, heard, privates), None
        elif heard.command == C.PROVE:
            session = prepared if heard.kind != ERROR else None
        elif session and (clear := session.decrypted(heard)):
            yield clear
        else:
            session = None


def repeated_keys(*recordings: Recording) -> set[bytes]:
    """Return the ephemeral public keys that were sent more than once: each must be used in one session only."""
    heard = (each for recording in recordings for each in exchanges(recording))
    opening = [each for each in heard if each.command == C.OPEN_SESSION and each.kind != ERROR]
    sent = Counter(share[:PUBLIC] for each in opening for share in (each.request, each.answer))
    return {public for public, count in sent.items() if count > 1}


@functools.cache
def public_of(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def shared_of(private: bytes, public: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))


def _shared_secrets(heard: Exchange, privates: Iterable[bytes]) -> Iterator[bytes]:
    host, unit = heard.request[:PUBLIC], heard.answer[:PUBLIC]
    others = {host: unit, unit: host}
    return (shared_of(private, others[public_of(private)]) for private in privates if public_of(private) in others)


def _transcript(label: str, hello: bytes, said: bytes) -> bytes:
    return hashlib.sha256(label.encode() + b"\0" + struct.pack(">H", len(hello)) + hello + said).digest()
