# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handler of BIND: re-encrypt all secrets under a new binding (PROTOCOL.md section 6)."""

from ndks_protocol import wire

from ..binding_record import BindingRecord, NewBinding
from ..flash.record_log import RecordLog
from ..flash.records import BINDING, RecordKeys
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
        rebind(state.log, keys, commit, settled)
    except BaseException:
        state.load()  # flash decides which binding is valid
        raise
    state.binding = BindingRecord(settled)
    return ()


def rebind(log: RecordLog, keys: RecordKeys, body: bytes, settled_body: bytes) -> None:
    """Re-encrypt all records under other keys. `body`, of the record BINDING, is the commit marker.

    A power cut before the marker leaves an unused snapshot. After it, `settled_body` remains to be written. After an
    exception the log is invalid; `load` it.
    """
    log.compact()  # completes an unfinished change of the binding, and makes room
    log.drop(BINDING)
    old_keys, log.keys = log.keys, keys
    try:
        log.make_image()
        log.storage.write_snapshot()
        log.append(BINDING, body)
    finally:
        old_keys.wipe()
    log.settle(settled_body)


HANDLERS = {wire.BIND: bind}
