# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handler of PROVISION: make a blank unit a member of a network."""

from ndks_protocol import wire
from ndks_protocol.fields import pack
from ndks_protocol.kdf import derive

from ..binding_record import SALT_SIZE, NewBinding
from ..flash.record_log import format_body
from ..flash.records import BINDING, MEMBERSHIP, STATE_FORMAT
from ..membership import Membership
from ..state import State


def provision(state: State, binding: bytes, *values: object) -> tuple[()]:
    record = pack(wire.MEMBERSHIP, *values)
    member = Membership(state.board, record)  # check the fields before anything is written
    member.wipe()
    keys = NewBinding(state.board, binding)
    log = state.log
    log.keys.set_auth(keys.auth)
    log.keys.set_kek(keys.kek)
    try:
        log.append(STATE_FORMAT, format_body(log.erases))
        log.append(MEMBERSHIP, record)
        salt = _new_salt(state, binding)
        log.append(BINDING, keys.body(salt, member.digits, 1))  # the commit marker
    finally:
        state.load()
    return ()


def _new_salt(state: State, binding: bytes) -> bytes:
    """Return the salt of a new member, from random bytes of the host (`binding`) and of the unit."""
    return derive(state.board, binding, "ndks unit salt", state.board.entropy(SALT_SIZE))[:SALT_SIZE]


HANDLERS = {wire.PROVISION: provision}
