# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Beacons, by which all members hear which epoch the network is in, and who is master."""

from ndks_protocol import wire
from ndks_protocol.capsule.header import SALT_SIZE
from ndks_protocol.control.beacon import pack_beacon, unpack_beacon
from ndks_protocol.control.capsules import control_header, open_chunk, seal_chunk

from . import number_at
from .layout import AT_CONTROL_KEY, AT_NUMBER, KEY

try:
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        from .held import Network
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def seal(network: "Network") -> bytes:
    """Return a beacon under the next number. UnitError RANGE, STORAGE."""
    state, body = network.state, network.body
    header = control_header(network.lane, state.message_counter.take(), state.board.entropy(SALT_SIZE))
    data = pack_beacon(number_at(body, 0), number_at(body, AT_NUMBER), network.term)
    chunk = seal_chunk(state.board, body[AT_CONTROL_KEY : AT_CONTROL_KEY + KEY], header, data, state.piece)
    return state.member.header_keys.mask(header) + bytes(chunk)


def hear(network: "Network", capsule: "bytes | memoryview") -> int:
    """Take a beacon of another unit; return the event. UnitError as `Network.find`, AUTH, RANGE."""
    lane, n, number, term = _opened(network, capsule)
    network.hear(number)
    moved = network.move_on()
    is_lower = _rank(network, lane, n, number, term)
    return wire.MOVED if moved else wire.LOWER_RANK if is_lower else wire.HEARD


def _rank(network: "Network", lane: int, n: int, number: int, term: int) -> bool:
    """Follow a beacon, or not; return whether its rank is below that of the master."""
    mine, its = (network.term, network.master), (term, lane)
    if its < mine:
        network.due = network.due or network.is_master
        return True
    is_fresh = n > network.last or lane != network.master
    if its > mine:
        network.term, network.master, network.last, network.due = term, lane, 0, False
        network.listen()
    if is_fresh and number >= number_at(network.body, AT_NUMBER):  # one that lags gives no sign of life
        network.last = n
        network.listen()
    return False


def _opened(network: "Network", capsule: "bytes | memoryview") -> tuple[int, int, int, int]:
    """Return lane, message number, number of the epoch and term of a beacon."""
    state, body = network.state, network.body
    masked = bytes(capsule[: wire.WIRE_HEADER_SIZE])
    header, _ = network.find(masked, 0, (wire.OF_CONTROL,))
    key = body[AT_CONTROL_KEY : AT_CONTROL_KEY + KEY]
    data = open_chunk(state.board, key, header, capsule[wire.WIRE_HEADER_SIZE :], state.piece)
    number, term = unpack_beacon(data, number_at(body, 0))
    return header.lane, header.number, number, term
