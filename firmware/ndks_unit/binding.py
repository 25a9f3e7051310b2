# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which laptop this unit opens for: the record of the binding; BIND, TRUST (PROTOCOL.md section 6)."""

import struct

from ndks_protocol import commands, errors
from ndks_protocol.binding import ID_SIZE, BindingKeys
from ndks_protocol.kdf import derive

from .flash import records
from .messages.windows import forget, remember

_BODY = ">32s16s16sBB"  # auth, unit salt, binding id, digits, settled
_SALT_SIZE = 16


class Binding:
    """What is known without the host: `auth`, to prove and check who is there, and nothing that opens a secret.

    `digits` tells which tables the unit will need. A binding that is not `settled` has replaced another one, whose
    records are not all gone.
    """

    def __init__(self, body: bytes):
        self.body = body
        self.auth, self.salt, self.id, self.digits, self.settled = struct.unpack(_BODY, body)


def binding_body(keys: BindingKeys, salt: bytes, digits: int, settled: int) -> bytes:
    """Return the body of the record BINDING."""
    return struct.pack(_BODY, keys.auth, salt, keys.id, digits, settled)


def settled(binding: Binding) -> Binding:
    """Return the same binding, when nothing of the one before is left."""
    return Binding(binding.body[:-1] + b"\1")


def new_salt(board, binding: bytes) -> bytes:
    """Return the salt of a unit that is being provisioned: random bytes of the host and of the unit."""
    return derive(board, binding, "ndks unit salt", board.entropy(_SALT_SIZE))[:_SALT_SIZE]


def bind(unit, binding: bytes) -> tuple:
    new = BindingKeys(unit.board, binding)
    old = unit.binding
    if new.auth == old.auth and old.settled:
        return ()  # nothing changes: spare the flash
    keys = records.RecordKeys(unit.board)
    keys.set_auth(new.auth)
    keys.set_kek(new.kek)
    commit = binding_body(new, old.salt, old.digits, 0)
    settled = binding_body(new, old.salt, old.digits, 1)
    try:
        unit.log.rebind(keys, commit, settled)
    except BaseException:
        unit.load()  # flash says which binding holds
        raise
    unit.binding = Binding(settled)
    unit.messages.binding_id = unit.binding.id
    return ()


def trust(unit, lane: int, binding_id: bytes) -> tuple:
    if lane in (commands.COMMON_LANE, unit.member.lane):
        raise errors.UnitError(errors.RANGE)
    if binding_id == bytes(ID_SIZE):
        forget(unit.log, lane)
    else:
        remember(unit.log, lane, binding_id)
    return ()
