# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests as a host sends them. Numbers, indices and tokens are never used twice."""

import itertools
import os

from unit.other_member import OtherMember

from ndks_protocol import commands as c
from ndks_protocol.capsule import CHUNK, FIRST_PIECE, SYNC_SIZE
from ndks_protocol.commands import AES, DATA, VERNAM

from .chip_unit import UID, Cost
from .host import LANE, Host

OTHER_LANE = LANE + 1
TRUSTED_LANE = LANE + 2
_FAR = 1 << 20  # an index that no other request uses


class Member:
    """The host of a unit that is a member, and another member."""

    def __init__(self, host: Host) -> None:
        self.host, self.unit = host, host.unit
        self._other = OtherMember(host.network, OTHER_LANE)
        self._epoch = host.network.epoch
        self._indices = itertools.count(_FAR)

    # Keys

    def next_key(self, size: int = 32) -> None:
        epoch, index = self.host.call(c.NEXT_INDEX)
        self.host.call(c.KEY_CHUNK, epoch, index, 0, size)
        self.host.call(c.ACKNOWLEDGE, epoch, index, 0)

    def acknowledge(self) -> None:
        epoch, index = self.host.call(c.NEXT_INDEX)
        self.host.call(c.ACKNOWLEDGE, epoch, index, 0)

    def new_key(self, size: int) -> None:
        """Ask for the first bytes of a key."""
        self.host.call(c.KEY_CHUNK, self._epoch, next(self._indices), 0, size)

    def key_stream(self, chunks: int) -> Cost:
        """Ask for a long key; its first chunk does not count."""
        index = next(self._indices)
        self.host.call(c.KEY_CHUNK, self._epoch, index, 0, c.MAX_CHUNK)
        rest = [(self._epoch, index, c.MAX_CHUNK * k, c.MAX_CHUNK) for k in range(1, chunks + 1)]
        return self.host.stream(c.KEY_CHUNK, rest)

    # Sealing and opening

    def seal(self, data: bytes = b"Meet me at noon.", cipher: int = VERNAM) -> None:
        token = self._begin(cipher)
        self.host.call(c.SEAL_CHUNK, token, 0, 1, data)

    def seal_stream(self, cipher: int, chunks: int) -> Cost:
        """Seal a long message in mode b; its first chunk does not count."""
        token = self._begin(cipher)
        self.host.call(c.SEAL_CHUNK, token, 0, 0, os.urandom(FIRST_PIECE))
        rest = [(token, number, 0, os.urandom(CHUNK)) for number in range(1, chunks + 1)]
        return self.host.stream(c.SEAL_CHUNK, rest)

    def _begin(self, cipher: int) -> bytes:
        token = os.urandom(8)
        self.host.call(c.SEAL_BEGIN, token, cipher, DATA, os.urandom(8))
        return token

    def seal_in_mode_a(self, cipher: int) -> None:
        self.host.call(c.SEAL_KEYS, os.urandom(8), cipher, DATA, os.urandom(8))

    def open(self, cipher: int) -> None:
        """Open a capsule of one chunk in mode b."""
        capsule = self._other.seal(b"Meet me at noon.", c.CIPHERS[cipher])
        header, chunk = capsule[: c.WIRE_HEADER_SIZE], capsule[c.WIRE_HEADER_SIZE :]
        handle, *_ = self.host.call(c.OPEN_BEGIN, header, 0)
        self.host.call(c.OPEN_CHUNK, handle, 0, 1, chunk)

    def open_in_mode_a(self) -> None:
        handle, *_ = self.host.call(c.OPEN_KEYS, self._other.wire_header(), 0)
        self.host.call(c.MESSAGE_STREAM, handle, 0, 256)
        self.host.call(c.MESSAGE_CHECK, handle, 256 - SYNC_SIZE)

    def accept(self) -> None:
        self.host.call(c.ACCEPT, self._other.wire_header(), 0)

    # The rest

    def status(self) -> int:
        """Return the free memory in bytes."""
        return self.host.call(c.STATUS).free_memory

    def log(self) -> tuple[int, int]:
        """Return the bytes that are used of the log in nvm, and its size."""
        status = self.host.call(c.STATUS)
        return status.log_used, status.log_size

    def bind(self) -> None:
        self.host.bind()

    def trust(self) -> None:
        self.host.call(c.TRUST, TRUSTED_LANE, os.urandom(16))

    def session(self) -> None:
        self.host.start_session()

    def zeroize(self) -> None:
        self.host.hello()
        self.host.call(c.ZEROIZE, c.CONFIRMATION, UID)

    def everything(self) -> None:
        """Send every command of a member at least once, those of both ciphers with both. The unit is blank then."""
        self.next_key()
        self.new_key(c.MAX_CHUNK)
        for cipher in (VERNAM, AES):
            self.seal(os.urandom(FIRST_PIECE), cipher)
            self.seal_in_mode_a(cipher)
            self.open(cipher)
        for request in (self.open_in_mode_a, self.accept, self.status, self.trust, self.bind, self.session):
            request()
        self.zeroize()
