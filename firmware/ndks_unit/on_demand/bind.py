# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handler of BIND: re-encrypt all secrets under a new binding (PROTOCOL.md section 6)."""

from ndks_protocol import wire

from ..binding_record import BindingRecord, NewBinding
from ..flash.records import RecordKeys
from ..state import State


def bind(state: State, binding: bytes) -> tuple[()]:
    new, old = NewBinding(state.board, binding), state.bound
    if new.auth == old.auth and old.settled:
        return ()  # nothing changes: avoid a write to flash
    keys = RecordKeys(state.board)
    keys.set_auth(new.auth)
    keys.set_kek(new.kek)
    commit = new.body(old.salt, old.digits, 0)
    settled = new.body(old.salt, old.digits, 1)
    try:
        state.log.rebind(keys, commit, settled)
    except BaseException:
        state.load()  # flash decides which binding is valid
        raise
    state.binding = BindingRecord(settled)
    return ()


HANDLERS = {wire.BIND: bind}
