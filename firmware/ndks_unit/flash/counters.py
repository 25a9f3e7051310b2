# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Numbers that are given once, whatever happens to the power: of exported keys, and of the messages of this unit."""

import struct

from ndks_protocol import errors
from ndks_protocol.commands import INDEX_BITS, MAX_JUMP

from .record_log import RecordLog
from .records import EXPORT_COUNTER, MESSAGE_COUNTER

_FORMAT = ">IQ"  # epoch; next index, or the first number that is not reserved
_BLOCK = 64  # numbers reserved by one record: so many messages a write, and so many lost by a crash at most
_NO_EPOCH = -1


class ExportCounter:
    """The next index of the common lane, exact and in flash."""

    def __init__(self, log: RecordLog, epoch: int):
        self._log = log
        self._epoch = epoch
        self.next = _value(log, EXPORT_COUNTER, epoch)

    def advance_to(self, value: int) -> None:
        """Make `value` the next index, unless it has been passed already."""
        if value <= self.next:
            return
        body = self._log.body(EXPORT_COUNTER)
        if body == struct.pack(_FORMAT, self._epoch, value - 1):
            self._log.count(EXPORT_COUNTER)
        else:
            self._log.append(EXPORT_COUNTER, struct.pack(_FORMAT, self._epoch, value))
        self.next = value


class MessageCounter:
    """Numbers are reserved in flash before the first of them is used; those of a crash are never used."""

    def __init__(self, log: RecordLog):
        self._log = log
        self._epoch: int = _NO_EPOCH
        self._next = self._end = 1

    @property
    def latest(self) -> int:
        """The number that was given last, 0 if none was."""
        return self._next - 1

    def begin(self, epoch: int) -> None:
        """Count the messages of an epoch: on from flash, or from here if this has begun already."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._next = self._end = _value(self._log, MESSAGE_COUNTER, epoch)

    def start_above(self, minimum: int, allow_jump: int) -> None:
        """Give numbers above `minimum` only, the highest that the host knows of. UnitError RANGE, TOO_FAR.

        It is higher than ours when an old image of the flash was put back.
        """
        if minimum >= 1 << INDEX_BITS:
            raise errors.UnitError(errors.RANGE)
        if minimum > self._next + MAX_JUMP and not allow_jump:
            raise errors.UnitError(errors.TOO_FAR)
        if minimum >= self._end:
            self._next = self._end = minimum + 1
            self._reserve_up_to(self._end)  # it is not asked for permission again
        elif minimum >= self._next:
            self._next = minimum + 1

    def take(self) -> int:
        """Return a number that no message has had. UnitError RANGE when there is none, STORAGE."""
        if self._next >= 1 << INDEX_BITS:
            raise errors.UnitError(errors.RANGE)
        if self._next == self._end:
            self._reserve_up_to(min(self._next + _BLOCK, 1 << INDEX_BITS))
        self._next += 1
        return self._next - 1

    def give_back(self) -> None:
        """Make the numbers that were not used those of the next start."""
        if self._next != self._end:
            # First here: should the write fail, nobody knows what flash says, and no number of this block is taken.
            self._end = self._next
            self._reserve_up_to(self._next)

    def _reserve_up_to(self, end: int) -> None:
        self._log.append(MESSAGE_COUNTER, struct.pack(_FORMAT, self._epoch, end))
        self._end = end


def _value(log: RecordLog, kind: int, epoch: int) -> int:
    """Return what a counter of this epoch has come to, 1 for another epoch's or none."""
    body = log.body(kind)
    counted_epoch, value = struct.unpack(_FORMAT, body) if body else (epoch, 1)
    return value if counted_epoch == epoch else 1
