# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a unit says of itself, and how it becomes a member: HELLO, STATUS, PROVISION, CLOSE."""

from ndks_protocol import MAJOR, MINOR, commands, framing

from . import FIRMWARE
from .membership import Membership
from .records import CURRENT_FORMAT, MEMBERSHIP, STATE_FORMAT

_NO_SALT = _NO_BINDING_ID = bytes(16)  # until bindings exist


def hello(unit) -> tuple:
    unit.end_session()
    return (
        MAJOR,
        MINOR,
        bytes(FIRMWARE),
        unit.log.format,
        unit.state,
        unit.flags,
        unit.board.uid,
        _NO_SALT,
        _NO_BINDING_ID,
        framing.MAX_PAYLOAD,
        commands.MAX_SENDERS,
        commands.WINDOW_SIZE,
        1,
    )


def status(unit) -> tuple:
    member = unit.member
    return (
        unit.state,
        unit.flags,
        member.epoch if member else 0,
        member.lane if member else commands.COMMON_LANE,
        member.suite if member else 0,
        member.cipher if member else 0,
        member.digits if member else 0,
        member.network if member else "",
        member.network_id if member else bytes(8),
        unit.log.used,
        unit.log.size,
        unit.board.free_memory(),
        unit.dropped_frames,
        member.f1 if member else 0,
        member.f2 if member else 0,
    )


def provision(unit, *values) -> tuple:
    record = commands.PROVISION.request.pack(*values)
    Membership(unit.board, record)  # refused here, nothing is written
    unit.log.append(STATE_FORMAT, bytes((CURRENT_FORMAT,)))
    unit.log.append(MEMBERSHIP, record)  # the commit: a unit is a member if this record is there
    unit.load_membership()
    return ()


def close(unit, unplug: int) -> tuple:
    unit.end_session()
    if unplug and unit.messages:
        unit.messages.own_numbers.give_back()
    return ()
