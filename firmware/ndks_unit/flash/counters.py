# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Power-safe counters of exported keys and of this unit's messages. No number is issued twice."""

import struct

from ndks_protocol import errors
from ndks_protocol.wire import INDEX_BITS, MAX_JUMP

from .record_log import RecordLog
from .records import EXPORT_COUNTER, MESSAGE_COUNTER

_FORMAT = ">IQ"  # epoch, 0 for messages, whose numbers go on across epochs; next index, or first number not reserved
_BLOCK = 64  # numbers that one record reserves: one write per 64 messages; a crash loses at most 64 numbers


class ExportCounter:
    """The next index of the common lane, stored exactly in flash."""

    def __init__(self, log: RecordLog, epoch: int):
        self._log = log
        self._epoch = epoch
        body = log.body(EXPORT_COUNTER)
        counted_epoch, value = struct.unpack(_FORMAT, body) if body else (epoch, 1)
        self.next = value if counted_epoch == epoch else 1

    def advance_to(self, value: int) -> None:
        """Set the next index to `value` unless it is already as high."""
        if value <= self.next:
            return
        body = self._log.body(EXPORT_COUNTER)
        if body == struct.pack(_FORMAT, self._epoch, value - 1):
            self._log.count(EXPORT_COUNTER)
        else:
            self._log.append(EXPORT_COUNTER, struct.pack(_FORMAT, self._epoch, value))
        self.next = value


class MessageCounter:
    """The next message number. Flash reserves blocks of numbers before use; a crash loses the rest of a block."""

    def __init__(self, log: RecordLog):
        self._log = log
        self._begun = False
        self._next = self._end = 1

    @property
    def latest(self) -> int:
        """The last number issued, or 0."""
        return self._next - 1

    def begin(self) -> None:
        """Start counting from the number in flash. Repeated calls change nothing."""
        if not self._begun:
            self._begun = True
            body = self._log.body(MESSAGE_COUNTER)
            self._next = self._end = struct.unpack(_FORMAT, body)[1] if body else 1

    def start_above(self, minimum: int, allow_jump: int) -> None:
        """Raise the counter above `minimum`, the host's minimum counter. UnitError RANGE, TOO_FAR.

        The host's value is higher if somebody has restored an old image of the flash.
        """
        if minimum >= 1 << INDEX_BITS:
            raise errors.UnitError(errors.RANGE)
        if minimum > self._next + MAX_JUMP and not allow_jump:
            raise errors.UnitError(errors.TOO_FAR)
        if minimum >= self._end:
            self._next = self._end = minimum + 1
            self._reserve_up_to(self._end)  # so that the next session needs no allow_jump
        elif minimum >= self._next:
            self._next = minimum + 1

    def take(self) -> int:
        """Return an unused message number. UnitError RANGE: all numbers are used; STORAGE."""
        if self._next >= 1 << INDEX_BITS:
            raise errors.UnitError(errors.RANGE)
        if self._next == self._end:
            self._reserve_up_to(min(self._next + _BLOCK, 1 << INDEX_BITS))
        self._next += 1
        return self._next - 1

    def give_back(self) -> None:
        """Return the unused numbers of the block, so that the next start issues them."""
        if self._next != self._end:
            # Drop the block in memory first: if the write fails, the content of flash is unknown.
            self._end = self._next
            self._reserve_up_to(self._next)

    def _reserve_up_to(self, end: int) -> None:
        self._log.append(MESSAGE_COUNTER, struct.pack(_FORMAT, 0, end))
        self._end = end
