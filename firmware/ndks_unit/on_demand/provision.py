# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers of PROVISION and PROVISION_SEALED: make a blank unit a member of a network."""

from ndks_protocol import errors, wire
from ndks_protocol.fields import pack, unpack
from ndks_protocol.kdf import derive, wipe
from ndks_protocol.session import PUBLIC_KEY_SIZE

from .. import on_demand
from ..binding_record import SALT_SIZE, NewBinding
from ..flash.record_log import format_body
from ..flash.records import BINDING, JOINING_KEY, MEMBERSHIP, STATE_FORMAT
from ..membership import Membership
from ..state import State

_SEALED_PACKAGE = "ndks_protocol.sealed_package"


def provision(state: State, binding: bytes, *values: object) -> tuple[()]:
    record = pack(wire.MEMBERSHIP, *values)
    member = Membership(state.board, record)  # check the fields before anything is written
    member.wipe()
    keys = NewBinding(state.board, binding)
    log = state.log
    try:
        log.start_without_secrets()
        log.keys.set_auth(keys.auth)
        log.keys.set_kek(keys.kek)
        log.append(STATE_FORMAT, format_body(log.erases))
        log.append(MEMBERSHIP, record)
        salt = _new_salt(state, binding)
        log.append(BINDING, keys.body(salt, member.digits, 1))  # the commit marker
    finally:
        state.load()
    state.session.ends_with_answer = True
    return ()


def provision_sealed(state: State, binding: bytes, package: "bytes | memoryview") -> tuple[()]:
    pair = state.log.body(JOINING_KEY)
    if not pair:
        raise errors.UnitError(errors.NO_JOINING_KEY)
    fields = _unsealed(state, pair[:PUBLIC_KEY_SIZE], pair[PUBLIC_KEY_SIZE:], package)
    try:
        values = unpack(wire.MEMBERSHIP, fields)
    except ValueError:
        raise errors.UnitError(errors.BAD_REQUEST) from None
    finally:
        wipe(fields)
    return provision(state, binding, *values)


def _unsealed(state: State, private: bytes, public: bytes, package: "bytes | memoryview") -> bytearray:
    """Return the fields of a package. UnitError PACKAGE, PUBLIC_KEY."""
    (module,) = on_demand.load(_SEALED_PACKAGE)
    try:
        shared = on_demand.load_here("key_agreement").shared_secret(state.board, private, module.ephemeral_of(package))
        try:
            return module.unseal(state.board, shared, public, package)
        finally:
            wipe(shared)
    except module.CutShort:
        raise errors.UnitError(errors.PACKAGE) from None
    except module.NotForThisKey:
        raise errors.UnitError(errors.PACKAGE) from None
    except ValueError:
        raise errors.UnitError(errors.PUBLIC_KEY) from None


def _new_salt(state: State, binding: bytes) -> bytes:
    """Return the salt of a new member, from random bytes of the host (`binding`) and of the unit."""
    return derive(state.board, binding, "ndks unit salt", state.board.entropy(SALT_SIZE))[:SALT_SIZE]


HANDLERS = {wire.PROVISION: provision, wire.PROVISION_SEALED: provision_sealed}
