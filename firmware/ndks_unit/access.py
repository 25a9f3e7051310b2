# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers for access control: OPEN_SESSION, PROVE, UNLOCK (PROTOCOL.md section 6)."""

from ndks_protocol import errors

from .state import State

try:
    from typing import Callable
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def open_session(state: State, host_public: bytes, host_random: bytes) -> tuple[bytes, bytes, bytes]:
    state.end_session()
    return state.session.open(state.auth, host_public, host_random)


def prove(state: State, given: bytes) -> tuple[()]:
    state.session.prove(state.auth, given)
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


def _complete_writes(state: State) -> None:
    """Complete the writes that a power cut or a full log has prevented."""
    if not state.bound.settled:
        state.settle_binding()
    if state.roles:
        state.roles.interrupted().complete(state.roles)
    state.log.complete()
    state.session.write_attempts()


def _ignore_storage_error(operation: "Callable[..., None]", *values: object) -> None:
    """Call `operation` and ignore a STORAGE error: the host can still read keys from a unit that cannot write."""
    try:
        operation(*values)
    except errors.UnitError as error:
        if error.code != errors.STORAGE:
            raise
