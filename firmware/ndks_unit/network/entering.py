# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Entering a generation by a notice, and the hint by which a host finds it."""

import struct

from ndks_protocol import errors, wire
from ndks_protocol.capsule import HeaderKeys, header_keys
from ndks_protocol.control.capsules import open_chunk
from ndks_protocol.control.ladder import NEXT_MEMBER_KEY, hint_of, ratchet
from ndks_protocol.control.limits import ADMINISTRATOR_LANE, ADMINISTRATORS, LAST_GENERATION, PAST
from ndks_protocol.control.notice import Notice, lanes_in, unpack_notice
from ndks_protocol.kdf import wipe

from ..flash import records
from ..flash.record_log import format_body
from . import number_at
from .epochs import enter_generation, new_generation, write
from .layout import (
    AT_FIRST_KEY,
    AT_FIRST_MODE,
    AT_HEADER_KEYS,
    AT_LOW_SECRET,
    AT_MEMBER_KEY,
    AT_MODE,
    AT_MOVES,
    AT_REVOKED,
    AT_SETTLED,
    GREW,
    KEY,
    NOT_SETTLED,
)

try:
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        from ..flash.record_log import RecordLog
        from ..state import State
        from .held import Network
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def hint(network: "Network", generation: int) -> bytes:
    """Return the hint of the notice of a later generation. UnitError NO_EPOCH, STALE, RANGE."""
    return hint_of(network.state.board, _member_key(network, generation))


def notice(network: "Network", generation: int, capsule: "bytes | memoryview") -> int:
    """Enter a generation, and return the epoch.

    UnitError NO_EPOCH, STALE, HEADER, AUTH, RANGE, ROSTER, STORAGE: nothing has changed.
    """
    state, was_master = network.state, network.is_master
    member_key = _member_key(network, generation)
    new = _opened(network, generation, member_key, capsule)
    known = bytes(network.body[AT_REVOKED + 1 :])
    there = set(lanes_in(new.lanes))
    if not all([lane in there for lane in lanes_in(known)]):
        raise errors.UnitError(errors.ROSTER)
    settled = _unsettled(network, len(new.lanes) > len(known))
    left = _mode(network), settled, ratchet(state.board, member_key, NEXT_MEMBER_KEY, 1)
    body = new_generation(state, generation, new.operators, new.secret, left)
    body[AT_REVOKED] = len(new.lanes) // 2
    past = _past(network, new)
    if past:
        _make_room(state.log, len(past), len(body) + len(new.lanes))
        state.log.append(records.PAST, past)
    write(network, body + new.lanes)
    network.waiting = network.term = network.master = network.last = 0
    network.due = False
    network.listen(0 if was_master else -1)
    enter_generation(network)
    return state.member.epoch


def _member_key(network: "Network", generation: int) -> bytes:
    """Return the member key of a later generation, which may take a minute."""
    state = network.state
    if network.body:
        base, key = number_at(network.body, 0) + 1, network.body[AT_MEMBER_KEY : AT_MEMBER_KEY + KEY]
    else:
        first = state.log.body(records.FIRST_KEY) or b""
        base, key = number_at(first, 0), first[AT_FIRST_KEY : AT_FIRST_KEY + KEY]
    if not any(key):
        raise errors.UnitError(errors.NO_EPOCH)
    if generation < base:
        raise errors.UnitError(errors.STALE)
    if generation > LAST_GENERATION:
        raise errors.UnitError(errors.RANGE)
    if network.hinted[0] != generation or not network.hinted[1]:
        steps = generation - base
        network.hinted = generation, ratchet(state.board, key, NEXT_MEMBER_KEY, steps, network.feed)
    return network.hinted[1]


def _opened(network: "Network", generation: int, member_key: bytes, capsule: "bytes | memoryview") -> Notice:
    board = network.state.board
    keys = HeaderKeys(board, header_keys(board, member_key))
    try:
        header = keys.unmask(bytes(capsule[: wire.WIRE_HEADER_SIZE]))
    finally:
        keys.wipe()
    sender = ADMINISTRATOR_LANE + generation % ADMINISTRATORS
    if (header.kind, header.lane, header.number) != (wire.OF_CONTROL, sender, generation + 1):
        raise errors.UnitError(errors.HEADER)
    data = open_chunk(board, member_key, header, capsule[wire.WIRE_HEADER_SIZE :], network.state.piece)
    try:
        return unpack_notice(data, generation, network.lane)
    finally:
        wipe(data)


def _make_room(log: "RecordLog", past: int, generation: int) -> None:
    """Make sure that the previous past stays in flash until the generation is written. UnitError(STORAGE)."""
    needed = records.extent(records.PAST, past) + records.extent(records.GENERATION, generation)
    if log.size - log.used < needed + records.extent(records.STATE_FORMAT, len(format_body(0))):
        log.compact()


def _unsettled(network: "Network", grew: bool) -> int:
    """Return what there is to settle, including what the generation that is left could not settle."""
    body = network.body
    return GREW if grew or (body and body[AT_SETTLED] == GREW) else NOT_SETTLED


def _mode(network: "Network") -> int:
    if network.body:
        return network.body[AT_MODE]
    return (network.state.log.body(records.FIRST_KEY) or b"")[AT_FIRST_MODE]


def _past(network: "Network", new: Notice) -> bytes:
    """Return the body of the past: what is left now, what was left before, and what the notice brings."""
    entries = [bytes(each) for each in network.past()]
    body = network.body
    if body:
        keys = bytes(body[AT_HEADER_KEYS : AT_HEADER_KEYS + 2 * KEY]) + bytes(body[AT_LOW_SECRET : AT_LOW_SECRET + KEY])
        entries.append(bytes(body[:AT_MOVES]) + bytes((body[AT_REVOKED],)) + keys)
    known = [number_at(each, 0) for each in entries]
    entries += [_other(network.state, *other) for other in new.others if other[0] not in known]
    entries.sort(key=_order)
    return b"".join(entries[:PAST])


def _order(entry: bytes) -> int:
    return -number_at(entry, 0)


def _other(state: "State", generation: int, revoked: int, operators: tuple[int, int, int], secret: bytes) -> bytes:
    head = struct.pack(">HBBBHHB", generation, *operators, 0, 0, revoked)
    return head + header_keys(state.board, secret) + secret
