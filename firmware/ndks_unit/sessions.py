# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit's end of a session, and the delay after wrong proofs (PROTOCOL.md section 6)."""

import struct

from ndks_protocol import errors
from ndks_protocol.kdf import same
from ndks_protocol.session import HOST, RANDOM_SIZE, UNIT, SecureChannel, proof, transcript

from .board import TICKS_PERIOD, Board
from .flash.record_log import RecordLog
from .flash.records import BOOTS, WRONG_ATTEMPTS

_ATTEMPTS = ">I"
_MOST_ATTEMPTS = 0xFFFFFFFF
_DELAY_MS = 100  # doubled by each wrong attempt
_LONGEST_DELAY_MS = 60000


class Session:
    """The session with the host; `channel` is None until the host has proved that it knows the binding."""

    def __init__(self, board: Board, log: RecordLog):
        self._board = board
        self._log = log
        self._count = 0
        self._attempts = -1  # not counted here yet: flash says how many
        self._transcript = b""
        self._delay_since = board.ticks_ms()
        self.hello = b""  # the payload of the last answer to HELLO
        self.channel: "SecureChannel | None" = None
        self.ends_with_answer = False  # to the present request

    @property
    def wrong_attempts(self) -> int:
        """How many proofs were wrong since one was right."""
        if self._attempts >= 0:
            return self._attempts
        body = self._log.body(WRONG_ATTEMPTS)
        return struct.unpack(_ATTEMPTS, body)[0] if body else 0

    def forget_attempts(self) -> None:
        """Believe flash again, which was erased or changed."""
        self._attempts = -1

    def end(self) -> None:
        """Forget the keys of the session."""
        if self.channel:
            self.channel.wipe()
        self.channel = None
        self.ends_with_answer = False
        self._transcript = b""

    def open(self, auth: bytes, host_random: bytes) -> tuple[bytes, bytes]:
        """Return a random number and the proof that the unit knows the binding. UnitError(DELAYED)."""
        if self._is_delayed():
            raise errors.UnitError(errors.DELAYED)
        unit_random = self._random()
        self._transcript = transcript(self._board, self.hello, host_random, unit_random)
        return unit_random, proof(self._board, auth, UNIT, self._transcript)

    def prove(self, auth: bytes, given: bytes) -> None:
        """Open the channel if the host knows the binding too. UnitError LOCKED, CONFLICT."""
        transcript_hash, self._transcript = self._transcript, b""  # one attempt an opening
        if not transcript_hash:
            raise errors.UnitError(errors.CONFLICT)
        if not same(given, proof(self._board, auth, HOST, transcript_hash)):
            self._count_attempts(min(self.wrong_attempts + 1, _MOST_ATTEMPTS))
            raise errors.UnitError(errors.LOCKED)
        self.channel = SecureChannel(self._board, auth, transcript_hash, UNIT)
        if self.wrong_attempts:
            self._count_attempts(0)

    def write_attempts(self) -> None:
        """Write the number of wrong attempts to flash if it differs there. UnitError(STORAGE)."""
        body = struct.pack(_ATTEMPTS, self.wrong_attempts)
        if body != (self._log.body(WRONG_ATTEMPTS) or bytes(len(body))):
            self._log.append(WRONG_ATTEMPTS, body)

    def _is_delayed(self) -> bool:
        attempts = self.wrong_attempts
        if not attempts:
            return False
        delay = min(_DELAY_MS << min(attempts, 16), _LONGEST_DELAY_MS)
        return (self._board.ticks_ms() - self._delay_since) % TICKS_PERIOD < delay

    def _count_attempts(self, attempts: int) -> None:
        self._delay_since = self._board.ticks_ms()
        self._attempts = attempts
        try:
            self.write_attempts()
        except errors.UnitError:
            pass  # no room before the next session: until then they count in memory

    def _random(self) -> bytes:
        """Return random bytes; even if the source of entropy fails, they differ from those of other sessions."""
        self._count += 1
        digest = self._board.sha256()
        digest.update(self._board.entropy(32))
        digest.update(self._board.uid)
        digest.update((self._log.body(BOOTS) or b"") + struct.pack(">I", self._count))
        return digest.digest()[:RANDOM_SIZE]
