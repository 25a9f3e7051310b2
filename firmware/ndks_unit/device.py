# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers of the unit as a device: HELLO, STATUS, CLOSE."""

from ndks_protocol import MAJOR, MINOR, errors, framing, wire
from ndks_protocol.fields import pack
from ndks_protocol.network_id import control_key, generation_id

from . import FIRMWARE
from .flash.records import BOOTS, counter_value
from .member import OpenMember
from .state import State

_NO_GENERATIONS = b"\xff" * 14
_UNKNOWN = bytes(16)  # salt and binding id of a blank unit


def hello(state: State) -> tuple[object, ...]:
    state.session.ephemeral.prepare()
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
        wire.MAX_SENDERS,
        wire.WINDOW_SIZE,
        1,
    )
    state.session.hello = pack(wire.COMMANDS[wire.HELLO][2], *values)
    return values


def status(state: State) -> tuple[object, ...]:
    member = state.opened
    return (
        state.lifecycle,
        state.flags,
        member.epoch if member else 0,
        member.lane if member else wire.COMMON_LANE,
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
    ) + _generations(state)


def _generations(state: State) -> tuple[bytes, bytes]:
    """Return the id of the present generation, and the generations that the unit holds."""
    if state.roles:
        return state.roles.seldom().generations(state.roles)
    if isinstance(state.opened, OpenMember):
        return generation_id(state.board, control_key(state.board, state.opened.mac)), b"\0\0" + _NO_GENERATIONS[2:]
    return bytes(8), _NO_GENERATIONS


def close(state: State, unplug: int) -> tuple[()]:
    errors.check_flag(unplug)
    state.session.ends_with_answer = True
    state.session.ephemeral.prepare()
    if unplug and state.opened:
        state.message_counter.give_back()
    return ()
