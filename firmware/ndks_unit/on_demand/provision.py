# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers of PROVISION, PROVISION_SEALED and ENROL: make a blank unit a member of a network."""

import struct

from ndks_protocol import errors, wire
from ndks_protocol.control.limits import LAST_GENERATION, LAST_MEMBER_LANE
from ndks_protocol.fields import pack, unpack
from ndks_protocol.kdf import derive, wipe
from ndks_protocol.session import PUBLIC_KEY_SIZE

from .. import on_demand
from ..binding_record import SALT_SIZE, NewBinding
from ..flash.record_log import format_body
from ..flash.records import BINDING, FIRST_KEY, JOINING_KEY, MEMBERSHIP, STATE_FORMAT
from ..membership import Membership
from ..state import State

try:
    from typing import Any
except ImportError:  # not on the board, where annotations are not evaluated
    pass

_SEALED_PACKAGE = "ndks_protocol.sealed_package"
_ENROLMENT = ">HH32sBBBtttBBB"  # lane, generation, member key, suite, cipher, d, name, p1, p2, f1, f2, mode
_KEY_SIZE = 32


def provision(state: State, binding: bytes, *values: object) -> tuple[()]:
    _enter(state, binding, pack(wire.MEMBERSHIP, *values), b"")
    return ()


def enrol(state: State, binding: bytes, package: "bytes | memoryview") -> tuple[int, int]:
    """Return lane and generation."""
    lane, generation, key, suite, cipher, digits, name, p1, p2, f1, f2, mode = _fields(state, package, _ENROLMENT)
    if lane > LAST_MEMBER_LANE or generation > LAST_GENERATION or mode > wire.MONITOR:
        raise errors.UnitError(errors.RANGE)
    record = pack(wire.MEMBERSHIP, 0, lane, suite, cipher, digits, bytes(_KEY_SIZE), name, p1, p2, f1, f2)
    _enter(state, binding, record, struct.pack(">H", generation) + key + bytes((mode,)))
    return lane, generation


def provision_sealed(state: State, binding: bytes, package: "bytes | memoryview") -> tuple[()]:
    return provision(state, binding, *_fields(state, package, wire.MEMBERSHIP))


def _enter(state: State, binding: bytes, record: bytes, first_key: bytes) -> None:
    """Write the records of a member. UnitError RANGE, STORAGE."""
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
        if first_key:
            log.append(FIRST_KEY, first_key)
        salt = _new_salt(state, binding)
        log.append(BINDING, keys.body(salt, member.digits, 1))  # the commit marker
    finally:
        state.load()
    state.session.ends_with_answer = True


def _fields(state: State, package: "bytes | memoryview", layout: str) -> "tuple[Any, ...]":
    """Return the fields of a package. UnitError NO_JOINING_KEY, PACKAGE, PUBLIC_KEY, BAD_REQUEST."""
    pair = state.log.body(JOINING_KEY)
    if not pair:
        raise errors.UnitError(errors.NO_JOINING_KEY)
    fields = _unsealed(state, pair[:PUBLIC_KEY_SIZE], pair[PUBLIC_KEY_SIZE:], package)
    try:
        return unpack(layout, fields)
    except ValueError:
        raise errors.UnitError(errors.BAD_REQUEST) from None
    finally:
        wipe(fields)


def _unsealed(state: State, private: bytes, public: bytes, package: "bytes | memoryview") -> bytearray:
    """Return the fields of a package. UnitError PACKAGE, PUBLIC_KEY."""
    (module,) = on_demand.load(_SEALED_PACKAGE)
    try:
        shared = on_demand.get("key_agreement").shared_secret(state.board, private, module.ephemeral_of(package))
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


HANDLERS = {wire.PROVISION: provision, wire.PROVISION_SEALED: provision_sealed, wire.ENROL: enrol}
