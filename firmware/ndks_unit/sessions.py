# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit's end of a session, with a delay after wrong proofs (PROTOCOL.md section 6)."""

import struct

from ndks_protocol import errors
from ndks_protocol.kdf import same, wipe
from ndks_protocol.session import HOST, RANDOM_SIZE, UNIT, SecureChannel, proof, session_key, transcript

from . import on_demand
from .board import TICKS_PERIOD, Board
from .ephemeral import EphemeralPair
from .flash.record_log import RecordLog
from .flash.records import BOOTS, WRONG_ATTEMPTS

_ATTEMPTS = ">I"
_MAX_ATTEMPTS = 0xFFFFFFFF
_DELAY_MS = 100  # doubled after each wrong attempt
_MAX_DELAY_MS = 60000


class Session:
    """The session with the host. `channel` is None until the host has authenticated.

    `auth` is A of the binding; a blank unit has None, and nobody authenticates.
    """

    def __init__(self, board: Board, log: RecordLog):
        self._board = board
        self._log = log
        self._draws = 0
        self.ephemeral = EphemeralPair(board, self.draw)
        self._attempts = -1  # use the number in flash
        self._transcript = b""
        self._key = bytearray(0)  # S, from OPEN_SESSION to PROVE
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
        self._cancel_handshake()

    def forget(self) -> None:
        """Overwrite the keys of this session and of the next one, which a blank unit has too."""
        if self.channel or self._transcript or self.ephemeral.is_ready or self.ephemeral.making:
            self.end()
            self.ephemeral.wipe()

    def open(self, auth: "bytes | None", host_public: bytes, host_random: bytes) -> tuple[bytes, bytes, bytes]:
        """Agree on a session key with the host. Return the unit's public key, its nonce and its proof.

        UnitError DELAYED, STORAGE, PUBLIC_KEY.
        """
        if self._is_delayed():
            raise errors.UnitError(errors.DELAYED)
        unit_random = self.draw()[:RANDOM_SIZE]
        try:
            agreement = on_demand.get("key_agreement")
            unit_public, shared = agreement.agree(self._board, self.ephemeral, host_public)
        except ValueError:
            raise errors.UnitError(errors.PUBLIC_KEY) from None
        self._transcript = transcript(self._board, self.hello, host_public + host_random, unit_public + unit_random)
        try:
            self._key = session_key(self._board, auth, shared, self._transcript)
        finally:
            wipe(shared)
        return unit_public, unit_random, proof(self._board, self._key, UNIT, self._transcript)

    def prove(self, auth: "bytes | None", given: bytes) -> None:
        """Verify the host's proof and open the channel. UnitError LOCKED, CONFLICT."""
        if not self._transcript:
            raise errors.UnitError(errors.CONFLICT)
        try:
            self._check(auth, given)
            self.channel = SecureChannel(self._board, self._key, self._transcript, UNIT)
        finally:
            self._cancel_handshake()  # one attempt per OPEN_SESSION
        if auth and self.wrong_attempts:
            self._count_attempts(0)

    def write_attempts(self) -> None:
        """Write the number of wrong attempts to flash if it has changed. UnitError(STORAGE)."""
        body = struct.pack(_ATTEMPTS, self.wrong_attempts)
        if body != (self._log.body(WRONG_ATTEMPTS) or bytes(len(body))):
            self._log.append(WRONG_ATTEMPTS, body)

    def draw(self) -> bytes:
        """Return 32 random bytes; on a bound unit they are unique even if the entropy source fails."""
        self._draws += 1
        digest = self._board.sha256()
        digest.update(self._board.entropy(32))
        digest.update(self._board.uid)
        digest.update((self._log.body(BOOTS) or b"") + struct.pack(">I", self._draws))
        return digest.digest()

    def _check(self, auth: "bytes | None", given: bytes) -> None:
        if same(given, proof(self._board, self._key, HOST, self._transcript)):
            return
        if auth:
            self._count_attempts(min(self.wrong_attempts + 1, _MAX_ATTEMPTS))
        raise errors.UnitError(errors.LOCKED)

    def _cancel_handshake(self) -> None:
        wipe(self._key)
        self._key = bytearray(0)
        self._transcript = b""

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
