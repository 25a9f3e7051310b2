# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers for identification, provisioning and erasure: HELLO, STATUS, PROVISION, CLOSE, ZEROIZE."""

from ndks_protocol import MAJOR, MINOR, commands, errors, framing
from ndks_protocol.binding import BindingKeys

from . import FIRMWARE
from .binding_record import SALT_SIZE, binding_body, new_salt
from .flash.erasure import ON_PURPOSE
from .flash.records import BINDING, BOOTS, CURRENT_FORMAT, MEMBERSHIP, counter_value
from .membership import LAYOUT, Membership
from .state import State

_UNKNOWN = bytes(16)  # salt and binding id of a blank unit


def hello(state: State) -> tuple[object, ...]:
    binding = state.binding
    values = (
        MAJOR,
        MINOR,
        bytes(FIRMWARE),
        state.log.format,
        state.lifecycle,
        state.flags,
        state.board.uid,
        binding.salt if binding else _UNKNOWN,
        binding.id if binding else _UNKNOWN,
        framing.MAX_PAYLOAD,
        commands.MAX_SENDERS,
        commands.WINDOW_SIZE,
        1,
    )
    state.session.hello = commands.HELLO.answer.pack(*values)
    return values


def status(state: State) -> tuple[object, ...]:
    member = state.opened
    return (
        state.lifecycle,
        state.flags,
        member.epoch if member else 0,
        member.lane if member else commands.COMMON_LANE,
        member.suite if member else 0,
        member.cipher if member else 0,
        member.digits if member else 0,
        member.network if member else "",
        member.network_id if member else bytes(8),
        state.log.used,
        state.log.size,
        state.board.free_memory(),
        state.dropped_frames,
        member.f1 if member else 0,
        member.f2 if member else 0,
        counter_value(state.log.body(BOOTS)),
        state.board.reset_reason,
        state.log.erases,
        state.session.wrong_attempts,
        state.message_counter.latest if member else 0,
    )


def provision(state: State, binding: bytes, *values: object) -> tuple[()]:
    record = LAYOUT.pack(*values)
    member = Membership(state.board, record)  # check the fields before anything is written
    member.wipe()
    keys = BindingKeys(state.board, binding)
    log = state.log
    log.keys.set_auth(keys.auth)
    log.keys.set_kek(keys.kek)
    try:
        log.write_format()
        log.append(MEMBERSHIP, record)
        salt = new_salt(state.board, binding, state.board.entropy(SALT_SIZE))
        log.append(BINDING, binding_body(keys, salt, member.digits, 1))  # the commit marker
    finally:
        state.load()
    return ()


def close(state: State, unplug: int) -> tuple[()]:
    errors.check_flag(unplug)
    state.session.ends_with_answer = True
    if unplug and state.opened:
        state.message_counter.give_back()
    return ()


def zeroize(state: State, confirmation: bytes, uid: bytes) -> tuple[()]:
    if confirmation != commands.CONFIRMATION or uid != state.board.uid:
        raise errors.UnitError(errors.RANGE)
    if state.log.format > CURRENT_FORMAT:
        raise errors.UnitError(errors.STATE_FORMAT)
    if not state.board.snapshots_writable:
        raise errors.UnitError(errors.STORAGE)
    state.erase(ON_PURPOSE)
    return ()
