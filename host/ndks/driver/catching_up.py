# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The counters of a unit whose state went back: raised to this laptop's minimum counters before it is used."""

import logging

from ndks_protocol import commands, errors
from ndks_protocol.binding import BindingKeys
from ndks_protocol.commands import MAX_IN_TURN

from ..exceptions import DeviceError, ProtocolError
from ..laptop.counters import MinimumCounters
from ..line.link import Link
from ..line.session import unlock
from .answers import Hello, Status, status_from

_log = logging.getLogger(__name__)

_NONE_LEFT = MAX_IN_TURN + 1  # stands for the next index when all are used


def catch_up(
    link: Link, counters: MinimumCounters, keys: BindingKeys, hello: Hello, *, allow_jump: bool
) -> tuple[Status, bool]:
    """Raise the unit's counters to this laptop's minimum counters; note the unit's message counter.

    Return its state, and whether its keys had gone back. DeviceError TOO_FAR; ProtocolError: it did not follow.
    """
    status = status_from(link.call(commands.STATUS))
    minimum = counters.of(status.epoch)
    if status.message_counter < minimum.message_counter:
        unlock(link, keys, minimum.message_counter, allow_jump=allow_jump)
        status = status_from(link.call(commands.STATUS))
        if status.message_counter < minimum.message_counter:
            raise ProtocolError("the unit would reuse message numbers")
    following = _next_index(link, status.epoch)
    exported = min(minimum.exported, MAX_IN_TURN)  # earlier versions acknowledged keys above
    went_back = following <= exported
    if went_back:
        acknowledge_key(link, status.epoch, exported, allow_jump=allow_jump)
        _log.warning(
            "the state of unit %s went back: its next key was %d again, and is %d now; an old flash image was "
            "restored, or the flash is damaged",
            hello.serial_number,
            following,
            exported + 1,
        )
    counters.note(status.epoch, message_counter=status.message_counter)
    return status, went_back


def _next_index(link: Link, epoch: int) -> int:
    try:
        answer = link.call(commands.NEXT_INDEX)
    except DeviceError as error:
        if error.number not in (errors.RANGE, errors.NO_EPOCH):  # a new member may have no epoch yet
            raise
        return _NONE_LEFT
    if answer.epoch != epoch:
        raise ProtocolError("the unit answered with two different epochs")
    return answer.index


def acknowledge_key(link: Link, epoch: int, index: int, *, allow_jump: bool) -> int:
    """Report that key `index` is stored; return the next index."""
    check_in_turn(index)
    following: int = link.call(commands.ACKNOWLEDGE, epoch, index, allow_jump).index
    if following <= index:
        raise ProtocolError("the unit would give an acknowledged key again")
    return following


def check_in_turn(index: int) -> None:
    """Raise DeviceError RANGE for a key that is only read, and never acknowledged."""
    if index > MAX_IN_TURN:
        what = f"key {index} cannot be used up: only the keys 1 to 2^47 - 1 are"
        raise DeviceError(errors.RANGE, what, "only read it: without --advance, or in Python with use_up=False")
