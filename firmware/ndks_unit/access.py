# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers for access control: OPEN_SESSION, PROVE, UNLOCK, BIND, TRUST (PROTOCOL.md section 6)."""

from ndks_protocol import commands, errors
from ndks_protocol.binding import ID_SIZE, BindingKeys

from .binding_record import BindingRecord, binding_body
from .flash.records import RecordKeys
from .state import State

try:
    from typing import Callable
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def open_session(state: State, host_random: bytes) -> tuple[bytes, bytes]:
    state.end_session()
    return state.session.open(state.bound.auth, host_random)


def prove(state: State, given: bytes) -> tuple[()]:
    state.session.prove(state.bound.auth, given)
    return ()


def unlock(state: State, kek: bytes, minimum: int, allow_jump: int) -> tuple[()]:
    errors.check_flag(allow_jump)
    state.unlock(kek)
    try:
        _ignore_storage_error(state.message_counter.start_above, minimum, allow_jump)
    except errors.UnitError:
        state.lock()
        raise
    _ignore_storage_error(_complete_writes, state)
    return ()


def bind(state: State, binding: bytes) -> tuple[()]:
    new, old = BindingKeys(state.board, binding), state.bound
    if new.auth == old.auth and old.settled:
        return ()  # nothing changes: avoid a write to flash
    keys = RecordKeys(state.board)
    keys.set_auth(new.auth)
    keys.set_kek(new.kek)
    commit = binding_body(new, old.salt, old.digits, 0)
    settled = binding_body(new, old.salt, old.digits, 1)
    try:
        state.log.rebind(keys, commit, settled)
    except BaseException:
        state.load()  # flash decides which binding is valid
        raise
    state.binding = BindingRecord(settled)
    return ()


def trust(state: State, lane: int, binding_id: bytes) -> tuple[()]:
    if lane in (commands.COMMON_LANE, state.member.lane):
        raise errors.UnitError(errors.RANGE)
    if binding_id == bytes(ID_SIZE):
        state.windows.forget(lane)
    else:
        state.windows.remember(lane, binding_id)
    return ()


def _complete_writes(state: State) -> None:
    """Complete the writes that a power cut or a full log has prevented."""
    if not state.bound.settled:
        state.settle_binding()
    state.log.complete()
    state.session.write_attempts()


def _ignore_storage_error(operation: "Callable[..., None]", *values: object) -> None:
    """Call `operation` and ignore a STORAGE error: the host can still read keys from a unit that cannot write."""
    try:
        operation(*values)
    except errors.UnitError as error:
        if error.code != errors.STORAGE:
            raise
