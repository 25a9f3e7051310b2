# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit's end of a session: OPEN_SESSION, PROVE, UNLOCK (PROTOCOL.md section 6)."""

import struct

from ndks_protocol import errors
from ndks_protocol.kdf import same
from ndks_protocol.session import HOST, RANDOM_SIZE, UNIT, SecureChannel, proof, transcript

from .board import TICKS_PERIOD
from .flash.records import BOOTS, WRONG_ATTEMPTS

_ATTEMPTS = ">I"
_MOST_ATTEMPTS = 0xFFFFFFFF
_DELAY_MS = 100  # doubled by each wrong attempt
_LONGEST_DELAY_MS = 60000


class Session:
    """The session with the host; `channel` is None until that has proved that it knows the binding."""

    def __init__(self, unit):
        self._unit = unit
        self._count = 0
        self._attempts = -1  # not counted here yet: flash says how many
        self._transcript = b""
        self._delay_since = unit.board.ticks_ms()
        self.hello = b""  # the payload of the last answer to HELLO
        self.channel = None

    @property
    def wrong_attempts(self) -> int:
        """How many proofs were wrong since one was right."""
        if self._attempts >= 0:
            return self._attempts
        body = self._unit.log.body(WRONG_ATTEMPTS)
        return struct.unpack(_ATTEMPTS, body)[0] if body else 0

    def forget_attempts(self) -> None:
        """Believe flash again, which was erased or changed."""
        self._attempts = -1

    def end(self) -> None:
        """Forget the keys of the session."""
        if self.channel:
            self.channel.wipe()
        self.channel = None
        self._transcript = b""

    def open(self, host_random: bytes) -> tuple:
        """Return what the unit proves its knowledge of the binding with. UnitError(DELAYED)."""
        if self._is_delayed():
            raise errors.UnitError(errors.DELAYED)
        board, auth = self._unit.board, self._unit.binding.auth
        unit_random = self._random()
        self._transcript = transcript(board, self.hello, host_random, unit_random)
        return unit_random, proof(board, auth, UNIT, self._transcript)

    def prove(self, given: bytes) -> None:
        """Open the channel, if the host has the binding too. UnitError(LOCKED)."""
        transcript_hash, self._transcript = self._transcript, b""  # one attempt an opening
        if not transcript_hash:
            raise errors.UnitError(errors.CONFLICT)
        board, auth = self._unit.board, self._unit.binding.auth
        if not same(given, proof(board, auth, HOST, transcript_hash)):
            self._count_attempts(min(self.wrong_attempts + 1, _MOST_ATTEMPTS))
            raise errors.UnitError(errors.LOCKED)
        self.channel = SecureChannel(board, auth, transcript_hash, UNIT)
        if self.wrong_attempts:
            self._count_attempts(0)

    def _is_delayed(self) -> bool:
        attempts = self.wrong_attempts
        if not attempts:
            return False
        delay = min(_DELAY_MS << min(attempts, 16), _LONGEST_DELAY_MS)
        return (self._unit.board.ticks_ms() - self._delay_since) % TICKS_PERIOD < delay

    def write_attempts(self) -> None:
        """Write to flash how many attempts were wrong, if it says otherwise. UnitError(STORAGE)."""
        body = struct.pack(_ATTEMPTS, self.wrong_attempts)
        if body != (self._unit.log.body(WRONG_ATTEMPTS) or bytes(len(body))):
            self._unit.log.append(WRONG_ATTEMPTS, body)

    def _count_attempts(self, attempts: int) -> None:
        self._delay_since = self._unit.board.ticks_ms()
        self._attempts = attempts
        try:
            self.write_attempts()
        except errors.UnitError:
            pass  # no room before the next session: until then they count in memory

    def _random(self) -> bytes:
        """Return random bytes; a failing source of entropy alone does not make them those of another session."""
        board = self._unit.board
        self._count += 1
        digest = board.sha256()
        digest.update(board.entropy(32))
        digest.update(board.uid)
        digest.update((self._unit.log.body(BOOTS) or b"") + struct.pack(">I", self._count))
        return digest.digest()[:RANDOM_SIZE]


def open_session(unit, host_random: bytes) -> tuple:
    unit.end_session()
    return unit.session.open(host_random)


def prove(unit, given: bytes) -> tuple:
    unit.session.prove(given)
    return ()


def unlock(unit, kek: bytes, minimum: int, allow_jump: int) -> tuple:
    errors.check_flag(allow_jump)
    unit.unlock(kek)
    try:
        _unless_storage(unit.message_counters.start_above, minimum, allow_jump)
    except errors.UnitError:
        unit.lock()
        raise
    _unless_storage(_mend, unit)
    return ()


def _mend(unit) -> None:
    """Finish what a power cut, or a log that was full, has left undone."""
    if not unit.binding.settled:
        unit.settle_binding()
    unit.log.complete()
    unit.session.write_attempts()


def _unless_storage(operation, *values) -> None:
    """Do what writes to flash, where that can be: keys can be read all the same, and other commands say STORAGE."""
    try:
        operation(*values)
    except errors.UnitError as error:
        if error.code != errors.STORAGE:
            raise
