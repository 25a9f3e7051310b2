# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two implementations of the host's end of a session: by the project's own code, and by PROTOCOL.md alone."""

import session_reference

from ndks.crypto import CRYPTO
from ndks_protocol.binding import BindingKeys
from ndks_protocol.session import HOST, OVERHEAD, SYNC_SIZE, UNIT, SecureChannel, proof, transcript


class ProjectSession:
    """A session by the project's own code."""

    def __init__(self, binding: bytes, hello: bytes, host_random: bytes, unit_random: bytes) -> None:
        auth = BindingKeys(CRYPTO, binding).auth
        self.kek = BindingKeys(CRYPTO, binding).kek
        transcript_hash = transcript(CRYPTO, hello, host_random, unit_random)
        self.unit_proof = proof(CRYPTO, auth, UNIT, transcript_hash)
        self.host_proof = proof(CRYPTO, auth, HOST, transcript_hash)
        self._channel = SecureChannel(CRYPTO, auth, transcript_hash, HOST)

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
    """A session by PROTOCOL.md, with hashlib, hmac and cryptography."""

    def __init__(self, binding: bytes, hello: bytes, host_random: bytes, unit_random: bytes) -> None:
        keys = session_reference.Binding(binding)
        super().__init__(keys.auth, hello, host_random, unit_random)
        self.kek = keys.kek
