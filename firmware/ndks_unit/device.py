# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a unit says of itself, and how it becomes a member: HELLO, STATUS, PROVISION, CLOSE."""

from ndks_protocol import MAJOR, MINOR, commands, errors, framing
from ndks_protocol.binding import BindingKeys

from . import FIRMWARE
from .binding import binding_body, new_salt
from .flash.records import BINDING, BOOTS, MEMBERSHIP, counter_value
from .membership import LAYOUT, Membership

_UNKNOWN = bytes(16)  # salt and binding id of a unit that is blank


def hello(unit) -> tuple:
    binding = unit.binding
    values = (
        MAJOR,
        MINOR,
        bytes(FIRMWARE),
        unit.log.format,
        unit.state,
        unit.flags,
        unit.board.uid,
        binding.salt if binding else _UNKNOWN,
        binding.id if binding else _UNKNOWN,
        framing.MAX_PAYLOAD,
        commands.MAX_SENDERS,
        commands.WINDOW_SIZE,
        1,
    )
    unit.session.hello = commands.HELLO.answer.pack(*values)
    return values


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
        counter_value(unit.log.body(BOOTS)),
        unit.board.reset_reason,
        unit.log.erases,
        unit.session.wrong_attempts,
        unit.message_counters.latest if member else 0,
    )


def provision(unit, binding: bytes, *values) -> tuple:
    record = LAYOUT.pack(*values)
    member = Membership(unit.board, record)  # refused here, nothing is written
    member.wipe()
    keys = BindingKeys(unit.board, binding)
    log = unit.log
    log.keys.set_auth(keys.auth)
    log.keys.set_kek(keys.kek)
    try:
        log.write_format()
        log.append(MEMBERSHIP, record)
        body = binding_body(keys, new_salt(unit.board, binding), member.digits, 1)
        log.append(BINDING, body)  # the commit: a unit is a member if this record is there
    finally:
        unit.load()
    return ()


def close(unit, unplug: int) -> tuple:
    errors.check_flag(unplug)
    unit.end_session_after_answer()
    if unplug and unit.member:
        unit.message_counters.give_back()
    return ()
