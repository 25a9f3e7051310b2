# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys and numbers for programs that encrypt and decrypt by themselves: mode a, cipher aes (PROTOCOL.md section 4).

Strategy: the check value of cipher aes does not depend on the message, so it is asked for at once. Then nothing stays
open in the unit, and any number of messages can be under way at the same time. A service does the same for its clients.
"""

import io
from dataclasses import dataclass, field
from typing import Any

from ndks_protocol import commands, errors, service

from ..exceptions import AuthenticationError, DeviceError, ProtocolError, UsageError
from . import capsules
from .batches import BatchOpener, BatchSealer
from .blocks import chunks_of, pieces_of
from .message_keys import GivenKeys, known_sync
from .opened import OpenUnit, step

_ANY_SIZE = 0  # of the message, for the check value


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A number of the unit's own lane that no message has, and that is never given again in its epoch."""

    epoch: int
    lane: int
    number: int


@dataclass(slots=True)
class SealingKeys:
    """The keys of one message that this unit's host sends. With a second text under them, both could be read.

    `header` is masked and begins the capsule; `check` is the key check value at the end of its text.
    """

    header: bytes
    tag_key: bytes = field(repr=False)
    sync: bytes = field(repr=False)
    aes_key: bytes = field(repr=False)
    check: bytes = field(repr=False)
    _is_used: bool = field(default=False, init=False, repr=False, compare=False)

    def seal(self, data: bytes) -> bytes:
        """Return the capsule of the message. UsageError for a second call."""
        if self._is_used:
            raise UsageError("these keys have sealed a message already", "take new ones: unit.message_keys()")
        self._is_used = True
        sealer = BatchSealer(GivenKeys(self))
        pieces = pieces_of(io.BytesIO(data), capsules.no_progress, batched=True)
        return b"".join([self.header, *(sealer.seal(*piece) for piece in pieces)])


@dataclass(frozen=True, slots=True)
class OpeningKeys:
    """The keys of one received message; `sync` is b"" if the binding of the sender's laptop is unknown."""

    header: bytes
    lane: int
    number: int
    tag_key: bytes = field(repr=False)
    sync: bytes = field(repr=False)
    aes_key: bytes = field(repr=False)
    check: bytes = field(repr=False)

    def unseal(self, capsule: bytes) -> bytes:
        """Return the data of the capsule; accept nothing. AuthenticationError AUTH, DIVERGED, BINDING."""
        source = io.BytesIO(capsule)
        if capsules.read_header(source) != self.header:
            raise AuthenticationError(errors.AUTH)
        with capsules.refusals():
            opener = BatchOpener(GivenKeys(self))
            return b"".join([opener.open(*chunk) for chunk in chunks_of(source, capsules.no_progress, batched=True)])


class ProgramKeyVerbs(OpenUnit):
    """Message keys and numbers of the own lane."""

    @step
    def message_keys(self) -> SealingKeys:
        """Take the next message number, and return all keys of this message, of cipher aes.

        Any number of messages may be under way at a time. The number is used up, whether the message is sent or not.
        """
        begin = capsules.token_of_message(), capsules.random_of_header()
        if self._owner.is_held:
            given = self._link.call(service.MESSAGE_KEYS, *begin)
            return _sealing(given, given.check)
        given = self._begin_aes(*begin)
        return _sealing(given, self._check_value(begin[0]))

    @step
    def open_message_keys(self, header: bytes, *, again: bool = False, allow_jump: bool = False) -> OpeningKeys:
        """Return all keys of the message in the capsule with this header (its first 37 bytes), of cipher aes.

        Nothing is accepted: `accept` the header when the message is stored. `again` and `allow_jump`, and the errors,
        are as in `decrypt`; DeviceError RANGE for a capsule of cipher vernam.
        """
        header = capsules.read_header(io.BytesIO(header))
        flags = (commands.AGAIN if again else 0) | (commands.ALLOW_JUMP if allow_jump else 0)
        if self._owner.is_held:
            given = self._link.call(service.OPEN_MESSAGE_KEYS, header, flags)
            return _opening(header, given, given.check)
        given = self._link.call(commands.OPEN_KEYS, header, flags)
        if not given.aes_key:
            what = "the capsule is of cipher vernam, whose keystream the unit gives bit by bit"
            raise DeviceError(errors.RANGE, what, "open it with unseal or decrypt")
        return _opening(header, given, self._check_value(given.handle))

    @step
    def take_number(self) -> OwnNumber:
        """Use up a number of the unit's own lane for no message, and return it.

        No later call returns it again, and no message gets it, even when the unit's flash is put back to an earlier
        state: the laptop's minimum counter is on the disk first. FileError when it cannot be written.
        """
        if self._owner.is_held:
            return OwnNumber(*self._link.call(service.TAKE_NUMBER))
        self._begin_aes(capsules.token_of_message(), capsules.random_of_header())
        status = self._seen_status()
        self._owner.note_number(status.epoch, status.message_counter)
        return OwnNumber(status.epoch, status.lane, status.message_counter)

    def _begin_aes(self, token: bytes, random: bytes) -> Any:
        given = self._link.call(commands.SEAL_KEYS, token, commands.AES, commands.DATA, random)
        if not given.aes_key:
            raise ProtocolError("the unit gave the keys of another cipher than asked for")
        self._owner.note_sealed()
        return given

    def _check_value(self, message: bytes) -> bytes:
        return self._link.call(commands.MESSAGE_CHECK, message, _ANY_SIZE).check


def _sealing(given: Any, check: bytes) -> SealingKeys:
    return SealingKeys(given.header, given.tag_key, given.sync, given.aes_key, check)


def _opening(header: bytes, given: Any, check: bytes) -> OpeningKeys:
    sync = known_sync(given.sync)
    return OpeningKeys(header, given.lane, given.number, given.tag_key, sync, given.aes_key, check)
