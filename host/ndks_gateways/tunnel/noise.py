# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Noise (revision 34): the patterns XXpsk0+psk2 and NNpsk0 of suite 25519_AESGCM_SHA256.

In both, the first message is authenticated by a pre-shared key before any X25519 is computed.
"""

import hashlib
import hmac
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import Forged

Pattern = Literal["XXpsk0+psk2", "NNpsk0"]
_MESSAGES: dict[Pattern, tuple[tuple[str, ...], ...]] = {
    "XXpsk0+psk2": (("psk", "e"), ("e", "ee", "s", "es", "psk"), ("s", "se")),
    "NNpsk0": (("psk", "e"), ("e", "ee")),
}
_KEY_SIZE = 32
_TAG_SIZE = 16


def message_size(pattern: Pattern, number: int, payload: int) -> int:
    """Return the size of a message, counted from 0, with a payload of this size."""
    parts = _MESSAGES[pattern][number]
    return parts.count("e") * _KEY_SIZE + parts.count("s") * (_KEY_SIZE + _TAG_SIZE) + payload + _TAG_SIZE


class Noise:
    """One end of a handshake. Append to `psks` each pre-shared key, of 32 bytes, before the message that needs it.

    `write` and `read` take turns, and the initiator writes first. `remote_static` is known once it was read, `h` is the
    hash of all so far. After Forged the object is of no use any more.
    """

    def __init__(
        self,
        pattern: Pattern,
        is_initiator: bool,
        prologue: bytes,
        static: X25519PrivateKey | None = None,
        ephemeral: X25519PrivateKey | None = None,
    ) -> None:
        name = f"Noise_{pattern}_25519_AESGCM_SHA256".encode()
        self.h = name.ljust(_KEY_SIZE, b"\0") if len(name) <= _KEY_SIZE else hashlib.sha256(name).digest()
        self.psks: list[bytes] = []
        self.remote_static = b""
        self._ck = self.h
        self._key: AESGCM | None = None
        self._nonce = 0
        self._is_initiator = is_initiator
        self._messages = list(_MESSAGES[pattern])
        self._static = static
        self._ephemeral = ephemeral
        self._remote_ephemeral = b""
        self._mix_hash(prologue)

    def write(self, payload: bytes) -> bytes:
        """Return the next message. Forged: the other end's key makes no secret."""
        message = b""
        for part in self._messages.pop(0):
            if part == "e":
                message += self._own_ephemeral()
            elif part == "s":
                message += self._encrypt(self._own(self._static).public_key().public_bytes_raw())
            else:
                self._mix(part)
        return message + self._encrypt(payload)

    def read(self, message: bytes) -> bytes:
        """Return the payload of the other end's next message. Forged: it is not authentic, or cut short."""
        for part in self._messages.pop(0):
            if part == "e":
                self._remote_ephemeral, message = message[:_KEY_SIZE], message[_KEY_SIZE:]
                self._mix_ephemeral(self._remote_ephemeral)
            elif part == "s":
                size = _KEY_SIZE + _TAG_SIZE
                self.remote_static, message = self._decrypt(message[:size]), message[size:]
            else:
                self._mix(part)
        return self._decrypt(message)

    def split(self, count: int) -> tuple[bytes, ...]:
        """Return keys of 32 bytes, after the last message: from initiator to responder, back, and others."""
        return hkdf(self._ck, b"", count)

    def _own_ephemeral(self) -> bytes:
        self._ephemeral = self._ephemeral or X25519PrivateKey.generate()
        public = self._ephemeral.public_key().public_bytes_raw()
        self._mix_ephemeral(public)
        return public

    def _mix_ephemeral(self, public: bytes) -> None:
        self._mix_hash(public)
        self._mix_key(public)  # as in each pattern with a pre-shared key

    def _mix(self, part: str) -> None:
        if part == "psk":
            self._ck, hashed, key = hkdf(self._ck, self.psks.pop(0), 3)
            self._mix_hash(hashed)
            self._set_key(key)
        elif part == "ee":
            self._mix_key(self._exchange(self._ephemeral, self._remote_ephemeral))
        elif (part == "es") == self._is_initiator:  # es: ephemeral of the initiator, static of the responder
            self._mix_key(self._exchange(self._ephemeral, self.remote_static))
        else:
            self._mix_key(self._exchange(self._static, self._remote_ephemeral))

    def _exchange(self, own: X25519PrivateKey | None, public: bytes) -> bytes:
        try:
            return self._own(own).exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError as error:  # of low order, or cut short
            raise Forged("a public key of the other end makes no secret") from error

    @staticmethod
    def _own(key: X25519PrivateKey | None) -> X25519PrivateKey:
        if key is None:
            raise ValueError("this message needs a key that was not given")
        return key

    def _mix_key(self, secret: bytes) -> None:
        self._ck, key = hkdf(self._ck, secret, 2)
        self._set_key(key)

    def _set_key(self, key: bytes) -> None:
        self._key, self._nonce = AESGCM(key), 0

    def _mix_hash(self, data: bytes) -> None:
        self.h = hashlib.sha256(self.h + data).digest()

    def _encrypt(self, text: bytes) -> bytes:
        sealed = self._cipher().encrypt(self._next_nonce(), text, self.h)
        self._mix_hash(sealed)
        return sealed

    def _decrypt(self, sealed: bytes) -> bytes:
        try:
            text = self._cipher().decrypt(self._next_nonce(), sealed, self.h)
        except (InvalidTag, ValueError) as error:  # ValueError: shorter than a tag
            raise Forged("a message of the handshake is not authentic") from error
        self._mix_hash(sealed)
        return text

    def _cipher(self) -> AESGCM:
        assert self._key  # both patterns begin with a key
        return self._key

    def _next_nonce(self) -> bytes:
        self._nonce += 1
        return (self._nonce - 1).to_bytes(12, "big")


def hkdf(ck: bytes, secret: bytes, count: int) -> tuple[bytes, ...]:
    """Return `count` keys of 32 bytes: HKDF of Noise."""
    key = hmac.digest(ck, secret, "sha256")
    keys: list[bytes] = []
    for number in range(1, count + 1):
        keys.append(hmac.digest(key, (keys[-1] if keys else b"") + bytes([number]), "sha256"))
    return tuple(keys)
