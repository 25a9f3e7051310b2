# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bindings and sessions from PROTOCOL.md section 6 alone: nothing of the project is imported here."""

import copy
import hashlib
import hmac
import struct

from capsule_reference import aes_ctr, derive, xor


def binding_of(host_secret: bytes, salt: bytes, fingerprint: bytes) -> bytes:
    """Return B by HKDF (RFC 5869), one block."""
    key = hmac.digest(salt, host_secret + hashlib.sha256(fingerprint).digest(), hashlib.sha256)
    return hmac.digest(key, b"ndks bind\1", hashlib.sha256)


class Binding:
    def __init__(self, secret: bytes):
        self.secret = secret
        self.auth = derive(secret, "ndks bind auth")
        self.kek = derive(secret, "ndks bind kek")
        self.id = derive(secret, "ndks bind id")[:16]

    def in_hex(self) -> dict[str, str]:
        return {"B": self.secret.hex(), "A": self.auth.hex(), "KEK": self.kek.hex(), "id": self.id.hex()}


class Direction:
    """The frames that one end sends to the other; `name` is h2u or u2h."""

    def __init__(self, key: bytes, name: str, transcript: bytes):
        self.encryption_key = derive(key, f"ndks {name} enc", transcript)
        self.mac_key = derive(key, f"ndks {name} mac", transcript)
        self.sync = derive(self.mac_key, "ndks link sync", transcript)[:8]
        self.number = 0

    def secured(self, kind: int, request_id: int, body: bytes) -> bytes:
        """Return the payload of the next frame."""
        text = self.sync + body
        text = xor(text, aes_ctr(self.encryption_key, struct.pack(">QQ", self.number, 0), bytes(len(text))))
        header = struct.pack(">QBI", self.number, kind, request_id)
        digest = hmac.digest(self.mac_key, header + text, hashlib.sha256)
        self.number += 1
        self.sync = digest[16:24]
        return text + digest[:16]

    def opened(self, kind: int, request_id: int, payload: bytes) -> bytes | None:
        """Return the body of the next frame and advance; return None for any other frame, and change nothing."""
        text, trial = payload[:-16], copy.copy(self)
        body = xor(text, aes_ctr(self.encryption_key, struct.pack(">QQ", self.number, 0), bytes(len(text))))[8:]
        if trial.secured(kind, request_id, body) != payload:
            return None
        vars(self).update(vars(trial))
        return body


class Session:
    """A session of the host. A share is a public key and random bytes; `auth` is None for a blank unit."""

    def __init__(self, auth: bytes | None, shared: bytes, hello: bytes, host_share: bytes, unit_share: bytes):
        said = b"ndks session 3\0" + struct.pack(">H", len(hello)) + hello + host_share + unit_share
        self.transcript = hashlib.sha256(said).digest()
        label = "ndks session 3 anonymous" if auth is None else "ndks session 3"
        self.key = derive(hmac.digest(auth or bytes(32), shared, hashlib.sha256), label, self.transcript)
        self.unit_proof = derive(self.key, "ndks unit proof", self.transcript)[:16]
        self.host_proof = derive(self.key, "ndks host proof", self.transcript)[:16]
        self.to_unit = Direction(self.key, "h2u", self.transcript)
        self.to_host = Direction(self.key, "u2h", self.transcript)

    def secured(self, kind: int, request_id: int, body: bytes) -> bytes:
        """Return the payload of the host's next frame."""
        return self.to_unit.secured(kind, request_id, body)

    def opened(self, kind: int, request_id: int, payload: bytes) -> bytes | None:
        """Return the body of the unit's next frame; None for any other frame."""
        return self.to_host.opened(kind, request_id, payload)
