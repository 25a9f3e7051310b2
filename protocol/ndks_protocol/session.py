# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sessions: key agreement and mutual authentication, then encrypted and authenticated frames (PROTOCOL.md section 6).

session key    = derive(HMAC(A, X25519 of both ephemeral keys), label, transcript hash)
secured payload = ct || D[:16]      ct = (link sync word 8 || body) XOR CTR(Kex, sequence number u64 || 0)
D               = HMAC(Kmx, sequence number u64 || kind u8 || request id u32 || ct)

The link sync word of a frame is D[16:24] of the previous frame.
"""

import struct

from .kdf import Crypto, Mac, derive, wipe

PUBLIC_KEY_SIZE = 32
RANDOM_SIZE = 16
PROOF_SIZE = 16
SYNC_SIZE = 8
TAG_SIZE = 16
OVERHEAD = SYNC_SIZE + TAG_SIZE

HOST = "host"
UNIT = "unit"
_H2U = "h2u"
_U2H = "u2h"
_BLOCK = 16
_HEADER = ">QBI"  # sequence number, kind, request id


def transcript(crypto: Crypto, hello: bytes, host_share: bytes, unit_share: bytes) -> bytes:
    """Return the transcript hash TH of the messages before the proofs; `hello` is the payload of HELLO's answer.

    A share is an ephemeral public key and the random bytes behind it.
    """
    digest = crypto.sha256()
    digest.update(b"ndks session 3\0" + struct.pack(">H", len(hello)))
    digest.update(hello)
    digest.update(host_share)
    digest.update(unit_share)
    return digest.digest()


def session_key(crypto: Crypto, auth: "bytes | None", shared: "bytes | bytearray", transcript_hash: bytes) -> bytearray:
    """Return the session key S of the secret A of the binding (None: a blank unit) and the secret shared by X25519."""
    extract = Mac(crypto, auth or bytes(len(shared)))
    extracted = bytearray(extract.digest(shared))
    label = "ndks session 3" if auth else "ndks session 3 anonymous"
    key = bytearray(derive(crypto, extracted, label, transcript_hash))
    extract.wipe()
    wipe(extracted)
    return key


def proof(crypto: Crypto, key: "bytes | bytearray", who: str, transcript_hash: bytes) -> bytes:
    """Return the proof by which HOST or UNIT shows that it has the session key."""
    return derive(crypto, key, "ndks " + who + " proof", transcript_hash)[:PROOF_SIZE]


class Direction:
    """The state of one direction of a session. Frames must be sealed and opened in order."""

    def __init__(self, crypto: Crypto, key: "bytes | bytearray", name: str, transcript_hash: bytes):
        mac_key = derive(crypto, key, "ndks " + name + " mac", transcript_hash)
        self._crypto = crypto
        self._key = bytearray(derive(crypto, key, "ndks " + name + " enc", transcript_hash))
        self._mac = Mac(crypto, mac_key)
        self._sync = derive(crypto, mac_key, "ndks link sync", transcript_hash)[:SYNC_SIZE]
        self._number = 0
        self._counter = bytearray(_BLOCK)  # the first counter block of a frame
        self._header = bytearray(struct.calcsize(_HEADER))

    def seal(self, kind: int, request_id: int, view: memoryview, size: int) -> int:
        """Encrypt and authenticate a frame in place, and return the size of its payload.

        `view` has SYNC_SIZE bytes for the sync word, `size` bytes of body, and TAG_SIZE bytes for the tag.
        """
        end = SYNC_SIZE + size
        view[:SYNC_SIZE] = self._sync
        self._crypt(view, end)
        digest = self._digest(kind, request_id, view[:end])
        view[end : end + TAG_SIZE] = digest[:TAG_SIZE]
        self._advance(digest)
        return end + TAG_SIZE

    def open(self, kind: int, request_id: int, view: memoryview) -> "memoryview | None":
        """Verify and decrypt a payload in place; return its body, or None if it is not the next frame.

        The caller ends the session after None. So nobody can try a second tag under the same keys, and the time of the
        comparison, which stops at the first difference, tells nothing useful.
        """
        end = len(view) - TAG_SIZE
        if end < SYNC_SIZE:
            return None
        digest = self._digest(kind, request_id, view[:end])
        if view[end:] != digest[:TAG_SIZE]:
            return None
        self._crypt(view, end)
        if view[:SYNC_SIZE] != self._sync:
            return None
        self._advance(digest)
        return view[SYNC_SIZE:end]

    def wipe(self) -> None:
        """Overwrite the keys."""
        wipe(self._key)
        self._mac.wipe()

    def _crypt(self, view: memoryview, size: int) -> None:
        # AES takes whole blocks. The bytes beyond `size` are overwritten later or no longer needed.
        struct.pack_into(">Q", self._counter, 0, self._number)
        self._crypto.aes_ctr(self._key, self._counter, view[: size + -size % _BLOCK])

    def _digest(self, kind: int, request_id: int, ciphertext: memoryview) -> bytes:
        struct.pack_into(_HEADER, self._header, 0, self._number, kind, request_id)
        return self._mac.digest(self._header, ciphertext)

    def _advance(self, digest: bytes) -> None:
        self._number += 1
        self._sync = digest[TAG_SIZE : TAG_SIZE + SYNC_SIZE]


class SecureChannel:
    """Both directions of a session, as HOST or UNIT sees them."""

    def __init__(self, crypto: Crypto, key: "bytes | bytearray", transcript_hash: bytes, who: str):
        sending, receiving = (_H2U, _U2H) if who == HOST else (_U2H, _H2U)
        self._sending = Direction(crypto, key, sending, transcript_hash)
        self._receiving = Direction(crypto, key, receiving, transcript_hash)
        self.seal = self._sending.seal
        self.open = self._receiving.open

    def wipe(self) -> None:
        """Overwrite the keys."""
        self._sending.wipe()
        self._receiving.wipe()
