# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit's end of a session, with a delay after wrong proofs (PROTOCOL.md section 6)."""

import struct

from ndks_protocol import errors
from ndks_protocol.kdf import same
from ndks_protocol.session import HOST, RANDOM_SIZE, UNIT, SecureChannel, proof, transcript

from .board import TICKS_PERIOD, Board
from .flash.record_log import RecordLog
from .flash.records import BOOTS, WRONG_ATTEMPTS

_ATTEMPTS = ">I"
_MAX_ATTEMPTS = 0xFFFFFFFF
_DELAY_MS = 100  # doubled after each wrong attempt
_MAX_DELAY_MS = 60000


class Session:
    """The session with the host. `channel` is None until the host has authenticated."""

    def __init__(self, board: Board, log: RecordLog):
        self._board = board
        self._log = log
        self._count = 0
        self._attempts = -1  # use the number in flash
        self._transcript = b""
        self._delay_since = board.ticks_ms()
        self.hello = b""  # the payload of the last answer to HELLO
        self.channel: "SecureChannel | None" = None
        self.ends_with_answer = False  # end the session after the answer to the current request

    @property
    def wrong_attempts(self) -> int:
        """The number of wrong proofs since the last correct one."""
        if self._attempts >= 0:
            return self._attempts
        body = self._log.body(WRONG_ATTEMPTS)
        return struct.unpack(_ATTEMPTS, body)[0] if body else 0

    def forget_attempts(self) -> None:
        """Discard the number in memory after flash was erased or changed."""
        self._attempts = -1

    def end(self) -> None:
        """Overwrite the keys of the session."""
        if self.channel:
            self.channel.wipe()
        self.channel = None
        self.ends_with_answer = False
        self._transcript = b""

    def open(self, auth: bytes, host_random: bytes) -> tuple[bytes, bytes]:
        """Return the unit's nonce and its proof that it knows the binding. UnitError(DELAYED)."""
        if self._is_delayed():
            raise errors.UnitError(errors.DELAYED)
        unit_random = self._random()
        self._transcript = transcript(self._board, self.hello, host_random, unit_random)
        return unit_random, proof(self._board, auth, UNIT, self._transcript)

    def prove(self, auth: bytes, given: bytes) -> None:
        """Verify the host's proof and open the channel. UnitError LOCKED, CONFLICT."""
        transcript_hash, self._transcript = self._transcript, b""  # one attempt per OPEN_SESSION
        if not transcript_hash:
            raise errors.UnitError(errors.CONFLICT)
        if not same(given, proof(self._board, auth, HOST, transcript_hash)):
            self._count_attempts(min(self.wrong_attempts + 1, _MAX_ATTEMPTS))
            raise errors.UnitError(errors.LOCKED)
        self.channel = SecureChannel(self._board, auth, transcript_hash, UNIT)
        if self.wrong_attempts:
            self._count_attempts(0)

    def write_attempts(self) -> None:
        """Write the number of wrong attempts to flash if it has changed. UnitError(STORAGE)."""
        body = struct.pack(_ATTEMPTS, self.wrong_attempts)
        if body != (self._log.body(WRONG_ATTEMPTS) or bytes(len(body))):
            self._log.append(WRONG_ATTEMPTS, body)

    def _is_delayed(self) -> bool:
        attempts = self.wrong_attempts
        if not attempts:
            return False
        delay = min(_DELAY_MS << min(attempts, 16), _MAX_DELAY_MS)
        return (self._board.ticks_ms() - self._delay_since) % TICKS_PERIOD < delay

    def _count_attempts(self, attempts: int) -> None:
        self._delay_since = self._board.ticks_ms()
        self._attempts = attempts
        try:
            self.write_attempts()
        except errors.UnitError:
            pass  # a full log has room again after the next UNLOCK; until then memory has the number

    def _random(self) -> bytes:
        """Return a nonce that is unique even if the entropy source fails."""
        self._count += 1
        digest = self._board.sha256()
        digest.update(self._board.entropy(32))
        digest.update(self._board.uid)
        digest.update((self._log.body(BOOTS) or b"") + struct.pack(">I", self._count))
        return digest.digest()[:RANDOM_SIZE]
