# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a member of a network rarely needs: capsules and keys of past generations, and most commands."""

from ndks_protocol import errors, fields, wire
from ndks_protocol.capsule import Header, HeaderKeys
from ndks_protocol.control.limits import LAST_NUMBER, MOVE_PAUSE, NO_GENERATION, PAST
from ndks_protocol.control.rows import ROWS
from ndks_protocol.network_id import generation_id

from .. import on_demand
from . import number_at
from .layout import AT_CONTROL_KEY, AT_LOW, AT_MODE, AT_NUMBER, AT_PAST_HEADER_KEYS, AT_PAST_SECRET, KEY

try:
    from typing import TYPE_CHECKING, Any

    from ..member import OpenMember

    if TYPE_CHECKING:
        from .held import Network
except ImportError:  # not on the board, where annotations are not evaluated
    pass

_ENTERING = (
    "ndks_protocol.control.capsules",
    "ndks_protocol.control.notice",
    "ndks_protocol.control.ladder",
    "ndks_unit.network.epochs",
    "ndks_unit.network.entering",
)


# Late capsules


def find_late(network: "Network", masked: bytes, flags: int, kinds: tuple[int, ...]) -> "tuple[Header, Any]":
    """Do what `Network.find` does for capsules of past generations. UnitError HEADER for those of no generation."""
    header, place = _in_past(network, masked)
    member = network.state.member
    header.check(member.suite, member.lane)
    if network.revokes(header.lane):
        raise errors.UnitError(errors.REVOKED)
    if header.kind == wire.OF_CONTROL:
        raise errors.UnitError(errors.STALE)
    if header.kind not in kinds:
        raise errors.UnitError(errors.KIND)
    network.check_epoch(header.epoch, place, flags)
    return header, place


def kept(network: "Network", epoch: int) -> "OpenMember":
    """Return the keys of an epoch for exported keys. UnitError EPOCH, CUT."""
    number = epoch & 0xFFFF
    for place in [network.body] + network.past():
        if number_at(place, 0) == epoch >> 16 and number_at(place, AT_LOW) <= number <= number_at(place, AT_NUMBER):
            if network.is_cut(place):
                raise errors.UnitError(errors.CUT)
            return network.member_of(place, number)
    raise errors.UnitError(errors.EPOCH)


def generations(network: "Network") -> tuple[bytes, bytes]:
    """Return the id of the present generation, and the numbers of all that are held."""
    body = network.body
    held = [number_at(each, 0) for each in ([body] if body else []) + network.past()]
    held += [NO_GENERATION] * (1 + PAST - len(held))
    control_key = body[AT_CONTROL_KEY : AT_CONTROL_KEY + KEY]
    identity = generation_id(network.state.board, control_key) if control_key else bytes(8)
    return identity, b"".join([bytes((each >> 8, each & 0xFF)) for each in held])


def _in_past(network: "Network", masked: bytes) -> "tuple[Header, memoryview]":
    for place in network.past():
        keys = HeaderKeys(network.state.board, place[AT_PAST_HEADER_KEYS:AT_PAST_SECRET])
        try:
            return keys.unmask(masked), place
        except errors.UnitError:
            pass
        finally:
            keys.wipe()
    raise errors.UnitError(errors.HEADER)


# Commands


def serve(network: "Network", code: int, payload: "bytes | memoryview", view: memoryview) -> int:
    """Write the payload of the answer to a command, and return its size."""
    request, answer = ROWS[code]
    try:
        values = fields.unpack(request, payload)
    except ValueError:
        raise errors.UnitError(errors.BAD_REQUEST) from None
    if code in (wire.NOTICE, wire.HINT):
        entering = on_demand.load(*_ENTERING)[-1]
        result = ((entering.notice if code == wire.NOTICE else entering.hint)(network, *values),)
    else:
        _ = network.state.member  # NO_EPOCH
        result = _HANDLERS[code](network, *values)
    return fields.pack_into(view, answer, result)


def _renew(network: "Network") -> tuple[int]:
    """Begin the next epoch, as master."""
    number = number_at(network.body, AT_NUMBER)
    if network.body[AT_MODE] == wire.MONITOR or number == LAST_NUMBER:
        raise errors.UnitError(errors.RANGE)
    if network.since_move < MOVE_PAUSE:
        raise errors.UnitError(errors.DELAYED)
    network.epochs().move(network, number + 1)
    if network.is_master:
        network.due = True
    else:
        network.lead()
    return (network.state.member.epoch,)


def _role(network: "Network", mode: int) -> tuple[()]:
    """Set the mode, also in flash."""
    if mode > wire.MONITOR:
        raise errors.UnitError(errors.RANGE)
    if mode != network.body[AT_MODE]:
        network.epochs().set_mode(network, mode)
    if mode == wire.MONITOR and network.is_master:
        network.master = network.last = 0
        network.due = False
        network.listen()
    return ()


_HANDLERS = {wire.RENEW: _renew, wire.ROLE: _role}
