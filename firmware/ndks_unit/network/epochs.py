# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Epochs: the keys of present and earlier ones, moves, and the removal of what a move or an entry has superseded."""

import struct

from ndks_protocol import errors, wire
from ndks_protocol.capsule import header_keys
from ndks_protocol.control.ladder import NEXT_EPOCH, parameters_of, ratchet
from ndks_protocol.control.limits import AHEAD, LAST_NUMBER, MOVES
from ndks_protocol.fields import pack, unpack
from ndks_protocol.network_id import control_key

from ..binding_record import BindingRecord
from ..flash.record_log import format_body
from ..flash.records import (
    BINDING,
    CURRENT_FORMAT,
    FIRST_KEY,
    GENERATION,
    MEMBERSHIP,
    STATE_FORMAT,
    WINDOW_KINDS,
)
from ..member import OpenMember
from ..membership import Membership
from . import number_at
from .layout import (
    AT_HEADER_KEYS,
    AT_LOW,
    AT_LOW_SECRET,
    AT_MODE,
    AT_MOVES,
    AT_NUMBER,
    AT_OPERATORS,
    AT_PAST_HEADER_KEYS,
    AT_PAST_SECRET,
    AT_SECRET,
    AT_SETTLED,
    GREW,
    KEY,
    NOT_SETTLED,
    PAST_SIZE,
    SETTLED,
)

try:
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        from ..state import State
        from .held import Network
except ImportError:  # not on the board, where annotations are not evaluated
    pass

_HEAD = ">HBBBHHB16sBB"  # of a generation: g, operators, number, low, moves and their count, mode, settled
_NO_KEY = bytes(KEY)


def new_generation(
    state: "State", generation: int, operators: tuple[int, int, int], secret: bytes, left: tuple[int, int, bytes]
) -> bytearray:
    """Return the body of a generation in its first epoch, without revoked lanes.

    `left` are mode and settled, and the member key of the next generation.
    """
    mode, settled, member_key = left
    head = struct.pack(_HEAD, generation, *operators, 0, 0, 0, bytes(16), mode, settled)
    control = control_key(state.board, secret)
    return bytearray(head + member_key + header_keys(state.board, secret) + control + secret + secret + b"\0")


def only_generation(state: "State") -> bytearray:
    """Return what stands for the generation of a network without administrators, whose record is not written yet."""
    member = state.member
    operators = member.digits, member.f1, member.f2
    return new_generation(state, 0, operators, bytes(member.secret), (wire.ELECTED, NOT_SETTLED, _NO_KEY))


# Keys


def open_present(network: "Network") -> None:
    """Open the unit in its present epoch, or as one that waits for its first notice."""
    state = network.state
    if network.body:
        state.opened = open_epoch(network, network.body, number_at(network.body, AT_NUMBER))
    else:
        state.opened = Membership(state.board, state.log.body(MEMBERSHIP) or b"")
        state.opened.network_id = bytes(8)


def use_epoch(network: "Network", place: "bytes | bytearray | memoryview", number: int) -> OpenMember:
    """Return the keys of another epoch, in place of those of the last other one that was used."""
    state = network.state
    _drop_other(state)
    state.other = open_epoch(network, place, number)
    return state.other


def _drop_other(state: "State") -> None:
    """Forget the other epoch, and end its messages."""
    other, state.other = state.other, None
    if other:
        if state.sealing.current and state.sealing.current.position == other.position:
            state.sealing.end()
        if state.incoming and state.incoming.position == other.position:
            state.begin_opening(None)
        other.wipe()


def open_epoch(network: "Network", place: "bytes | bytearray | memoryview", number: int) -> OpenMember:
    """Return the keys of an epoch, of the present generation or a past one; it is not below `low`."""
    state = network.state
    is_past = len(place) == PAST_SIZE
    secret = _secret_of(network, place, number, is_past)
    at = AT_PAST_HEADER_KEYS if is_past else AT_HEADER_KEYS
    position = number_at(place, 0) << 16 | number
    record = _membership(network, place, position, secret)
    return OpenMember(state.board, state.log, record, position, place[at : at + 2 * KEY])


def _secret_of(network: "Network", place: "bytes | bytearray | memoryview", number: int, is_past: bool) -> bytes:
    known, at = number_at(place, AT_LOW), AT_PAST_SECRET if is_past else AT_LOW_SECRET
    if not is_past and number >= number_at(place, AT_NUMBER):
        known, at = number_at(place, AT_NUMBER), AT_SECRET
    board = network.state.board
    return ratchet(board, bytes(place[at : at + KEY]), NEXT_EPOCH, number - known, network.feed)


def _membership(network: "Network", place: "bytes | bytearray | memoryview", position: int, secret: bytes) -> bytes:
    """Return the membership in an epoch, as `PROVISION` has it for a network with one epoch only.

    The name that it gave to the first epoch stays until the first move: exported keys are counted under it.
    """
    record = network.state.log.body(MEMBERSHIP) or b""
    epoch, lane, suite, cipher, _, _, name, p1, p2, _, _ = unpack(wire.MEMBERSHIP, record)
    if position:
        p1, p2 = parameters_of(network.state.board, secret)
    if position or number_at(network.body, AT_NUMBER):
        epoch = position
    digits, f1, f2 = place[AT_OPERATORS:AT_NUMBER]
    return pack(wire.MEMBERSHIP, epoch, lane, suite, cipher, digits, secret, name, p1, p2, f1, f2)


# Changes


def move(network: "Network", number: int) -> None:
    """Move to a higher number, or as far towards it as one move goes. UnitError(STORAGE): nothing has changed."""
    board, body = network.state.board, bytearray(network.body)
    here, low = number_at(body, AT_NUMBER), number_at(body, AT_LOW)
    number = min(number, here + AHEAD, LAST_NUMBER)
    moves = _with_move(body, here)
    if len(moves) == MOVES and moves[0] != low:
        secret = ratchet(board, body[AT_LOW_SECRET : AT_LOW_SECRET + KEY], NEXT_EPOCH, moves[0] - low, network.feed)
        body[AT_LOW_SECRET : AT_LOW_SECRET + KEY] = secret
        struct.pack_into(">H", body, AT_LOW, moves[0])
        if body[AT_SETTLED] == SETTLED:
            body[AT_SETTLED] = NOT_SETTLED
    secret = ratchet(board, body[AT_SECRET : AT_SECRET + KEY], NEXT_EPOCH, number - here, network.feed)
    body[AT_SECRET : AT_SECRET + KEY] = secret
    struct.pack_into(">H", body, AT_NUMBER, number)
    write(network, body)
    network.since_move = 0
    _enter_epoch(network)


def set_mode(network: "Network", mode: int) -> None:
    """Write another mode. UnitError(STORAGE): nothing has changed."""
    body = bytearray(network.body)
    body[AT_MODE] = mode
    write(network, body)
    _enter_epoch(network)


def _with_move(body: bytearray, number: int) -> list[int]:
    """Add a former number to the latest moves in a body, and return them."""
    count = body[AT_MOVES]
    moves = [number_at(body, AT_MOVES + 1 + 2 * i) for i in range(count)] + [number]
    moves = moves[-MOVES:]
    body[AT_MOVES] = len(moves)
    for i in range(len(moves)):
        struct.pack_into(">H", body, AT_MOVES + 1 + 2 * i, moves[i])
    return moves


def write(network: "Network", body: bytearray) -> None:
    """Write a generation, and remove what it has superseded. UnitError(STORAGE): nothing has changed."""
    log = network.state.log
    if log.format != CURRENT_FORMAT:  # an older firmware must not take it for state of its own
        log.append(STATE_FORMAT, format_body(log.erases))
    log.append(GENERATION, body)
    network.wipe()
    try:
        settle(network)
    except errors.UnitError as error:
        if error.code != errors.STORAGE:
            raise
        # The next UNLOCK does it.


def _enter_epoch(network: "Network") -> None:
    """Go on in the epoch that was written. Messages of the former one go on; a repeated token counts as new."""
    state, former = network.state, network.state.member
    number = number_at(network.body, AT_NUMBER)
    position = number_at(network.body, 0) << 16 | number
    if former.position == position:
        return
    former.epoch = former.position  # from the first move on
    state.sealing.forget()
    try:
        if state.other and state.other.position == position:
            state.opened, state.other = state.other, former
        else:
            _drop_other(state)
            state.opened = open_epoch(network, network.body, number)
            state.other = former
    except BaseException:
        state.lock()
        raise


def enter_generation(network: "Network") -> None:
    """Go on in the generation that was written. Messages of the former one end."""
    state = network.state
    state.sealing.end()
    state.sealing.forget()
    state.begin_opening(None)
    _drop_other(state)
    if state.opened:
        state.opened.wipe()
    state.opened = None
    state.board.tidy()
    try:
        open_present(network)
    except BaseException:
        state.lock()
        raise


def settle(network: "Network") -> None:
    """Remove superseded keys from nvm and both files. UnitError(STORAGE)."""
    state, log, body = network.state, network.state.log, log_body(network)
    if body[AT_SETTLED] == SETTLED:
        return
    log.drop(FIRST_KEY)
    if body[AT_SETTLED] == GREW:  # whoever was revoked may have moved the windows
        for kind in WINDOW_KINDS:
            log.drop(kind)
    values = unpack(wire.MEMBERSHIP, log.body(MEMBERSHIP) or b"")
    if any(values[5]):
        log.replace(MEMBERSHIP, pack(wire.MEMBERSHIP, *(values[:5] + (_NO_KEY,) + values[6:])))
    digits = body[AT_OPERATORS]
    if state.bound.digits != digits:  # those whose tables the next start loads
        state.binding = BindingRecord(state.bound.body[:-2] + bytes((digits, state.bound.settled)))
        log.replace(BINDING, state.binding.body)
    log.compact()
    before, body[AT_SETTLED] = body[AT_SETTLED], SETTLED
    try:
        log.compact()
    except BaseException:
        body[AT_SETTLED] = before
        raise


def log_body(network: "Network") -> bytearray:
    """Return the body of the record GENERATION, to be changed in place."""
    body = network.state.log.body(GENERATION)
    return body if isinstance(body, bytearray) else bytearray(body or b"")
