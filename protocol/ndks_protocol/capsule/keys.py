# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The keys of one message (PROTOCOL.md section 4).

Z     = paper bits of the key index [XOR CTR(derive(E, "ndks capsule mask", H), 0) in suite hybrid]
S     = sync || data || check                          C = S XOR Z (vernam)   S XOR CTR(Z[:32], 0) (aes)
check = derive(E, "ndks check", H || SHA-256(P))[:8]   P: the paper bits used for sync and data, or for the AES key
"""

from ndks_protocol import errors
from ndks_protocol.kdf import Crypto, Mac, derive, wipe, xor_keystream
from ndks_protocol.wire import AES, MAX_CHUNK, MAX_KEY_BYTES, SUITES

from .header import Header

try:
    from typing import Callable
except ImportError:  # not on the board, where annotations are not evaluated
    pass

SYNC_SIZE = CHECK_SIZE = 8

_AES_KEY_SIZE = 32
_NO_RANGE = (-1, 0)


class Keys:
    """The interface that sealing and opening need from the keys of a message.

    `sync` is b"" if the sender's binding is unknown; the sync word is then not checked.
    """

    tag_key: "bytes | bytearray" = b""
    sync = b""

    def apply(self, offset: int, text: memoryview) -> None:
        """XOR `text`, bytes of S or C at `offset`, in place with the keystream.

        Offsets must be contiguous, or repeat an earlier range.
        """
        raise NotImplementedError

    def check(self, size: int) -> bytes:
        """Return the key check value of a message of `size` bytes, after `apply` has processed all of them."""
        raise NotImplementedError


class MessageKeys(Keys):
    """The keys of one message, derived from the secret of the network.

    `read_paper(offset, size)` returns bytes of the paper bits for the key index, at most `piece` of them at once;
    `binding_id` is the sender's.
    """

    def __init__(
        self,
        crypto: Crypto,
        secret: "bytes | bytearray | Mac",
        header: Header,
        binding_id: bytes,
        read_paper: "Callable[[int, int], bytearray]",
        piece: int = MAX_CHUNK,
    ):
        clear = header.clear
        self._crypto = crypto
        self._secret = secret
        self._clear = clear
        self._read_paper = read_paper
        self._piece = piece
        self._unfinished = _NO_RANGE  # offset and size of a range that failed half-way: it may be repeated
        self.tag_key = self._tag_key = bytearray(derive(crypto, secret, "ndks capsule auth", clear))
        self.sync = derive(crypto, secret, "ndks sync", clear + binding_id)[:SYNC_SIZE] if binding_id else b""
        masked = SUITES[header.suite] == "hybrid"
        self._mask_key = bytearray(derive(crypto, secret, "ndks capsule mask", clear) if masked else b"")
        # SHA-256(P) lags CHECK_SIZE bytes behind: the keystream also covers the check value, P does not.
        self._paper_hash = crypto.sha256()
        self._unhashed = b""
        self._position = 0
        self._checked_size = -1
        self._digest = b""
        self.aes_key = bytearray()
        if header.cipher == AES:
            self.aes_key = self._keystream_piece(0, _AES_KEY_SIZE)
            self._paper_hash.update(self._unhashed)

    def wipe(self) -> None:
        """Overwrite the keys. The message cannot be continued afterwards."""
        wipe(self._tag_key)
        wipe(self._mask_key)
        wipe(self.aes_key)

    def keystream(self, offset: int, size: int) -> bytearray:
        """Return `size` bytes of Z. UnitError as `keystream_into`."""
        stream = bytearray(size)
        self.keystream_into(memoryview(stream), offset)
        return stream

    def keystream_into(self, view: memoryview, offset: int) -> None:
        """Write Z from `offset` on to `view`. UnitError(CONFLICT): the range does not follow or repeat earlier ones."""
        self._begin_range(offset, len(view))
        for start in range(0, len(view), self._piece):
            part = view[start : start + self._piece]
            part[:] = self._keystream_piece(offset + start, len(part))
        self._unfinished = _NO_RANGE

    def apply(self, offset: int, text: memoryview) -> None:
        if self.aes_key:
            xor_keystream(self._crypto, self.aes_key, offset, text)
            return
        self._begin_range(offset, len(text))
        for start in range(0, len(text), self._piece):
            part = text[start : start + self._piece]
            self._crypto.xor(part, self._keystream_piece(offset + start, len(part)))
        self._unfinished = _NO_RANGE

    def _begin_range(self, offset: int, size: int) -> None:
        """Check a range of Z. It is processed in pieces: the heap of a board may have no room for all of it."""
        if offset + size > MAX_KEY_BYTES:
            raise errors.UnitError(errors.RANGE)
        goes_on = offset == self._position or (offset, size) == self._unfinished
        if not goes_on and offset + size > self._position:
            raise errors.UnitError(errors.CONFLICT)
        self._unfinished = offset, size

    def _keystream_piece(self, offset: int, size: int) -> bytearray:
        piece = self._read_paper(offset, size)
        if offset == self._position:
            if self._digest:
                self._position += size  # these bytes encrypt the check value; P ends before them
            else:
                self._hash(memoryview(piece))
        if self._mask_key:
            xor_keystream(self._crypto, self._mask_key, offset, piece)
        return piece

    def check(self, size: int) -> bytes:
        if self._checked_size not in (-1, size):
            raise errors.UnitError(errors.CONFLICT)
        if not self._digest:
            if not self.aes_key:
                self._hash_up_to(SYNC_SIZE + size)
            self._checked_size = size
            self._digest = self._paper_hash.digest()
        return derive(self._crypto, self._secret, "ndks check", self._clear + self._digest)[:CHECK_SIZE]

    # Both methods allocate before they change any state: after a MemoryError the host repeats its request, and no byte
    # is hashed twice.

    def _hash(self, paper: memoryview) -> None:
        size = len(paper)
        if size < CHECK_SIZE:
            text = self._unhashed + bytes(paper)
            behind = max(0, len(text) - CHECK_SIZE)
            first, rest, unhashed = text[:behind], b"", text[behind:]
        else:
            first, rest, unhashed = self._unhashed, paper[: size - CHECK_SIZE], bytes(paper[size - CHECK_SIZE :])
        self._paper_hash.update(first)
        self._paper_hash.update(rest)
        self._unhashed = unhashed
        self._position += size

    def _hash_up_to(self, size: int) -> None:
        missing = size - (self._position - len(self._unhashed))
        if not 0 <= missing <= len(self._unhashed):
            raise errors.UnitError(errors.CONFLICT)
        hashed, unhashed = self._unhashed[:missing], self._unhashed[missing:]
        self._paper_hash.update(hashed)
        self._unhashed = unhashed
