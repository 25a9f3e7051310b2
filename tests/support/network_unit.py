# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit for tests of agents and administrators: real keys, headers and notices, and no generator, session or flash.

Its rules are those that a host notices (PROTOCOL.md section 11). Tests of the unit's own rules are elsewhere.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from ndks.crypto import CRYPTO
from ndks.driver.capsules import Sealed
from ndks.driver.network_verbs import Opened, Ticked
from ndks.exceptions import DeviceError, device_error
from ndks_protocol import errors
from ndks_protocol.capsule import LARGEST_PIECE, Header, HeaderKeys, header_keys
from ndks_protocol.control.beacon import pack_beacon, unpack_beacon
from ndks_protocol.control.capsules import open_chunk, open_control, seal_chunk, seal_control
from ndks_protocol.control.ladder import NEXT_EPOCH, NEXT_MEMBER_KEY, hint_of, ratchet
from ndks_protocol.control.limits import BEACON, PAST
from ndks_protocol.control.notice import lanes_in, unpack_notice
from ndks_protocol.network_id import control_key
from ndks_protocol.wire import (
    ELECTED,
    HEARD,
    HYBRID,
    MASTER,
    MONITOR,
    MOVED,
    OF_CONTROL,
    SLAVE,
    VERNAM,
    WIRE_HEADER_SIZE,
)


@dataclass
class Held:
    """A generation that the unit opens capsules of."""

    g: int
    secret: bytes
    revoked: int  # how many lanes
    number: int = 0
    low: int = 0
    masks: HeaderKeys = field(init=False)

    def __post_init__(self) -> None:
        self.masks = HeaderKeys(CRYPTO, header_keys(CRYPTO, self.secret))

    def key(self, number: int) -> bytes:
        return ratchet(CRYPTO, self.secret, NEXT_EPOCH, number)


class NetworkUnit:
    """A unit whose first notice is that of generation g, under `key`. Tests set its fields."""

    def __init__(self, lane: int, g: int, key: bytes, seed: int = 1) -> None:
        self.lane = lane
        self.mode, self.role, self.master, self.term, self.silence = ELECTED, SLAVE, 0, 0, 0
        self.own_number = 0
        self.generations: list[Held] = []
        self.revoked: tuple[int, ...] = ()
        self.noticed: list[int] = []
        self._next = g, key
        self._random = Random(seed)

    @property
    def here(self) -> Held:
        return self.generations[0]

    @property
    def epoch(self) -> int | None:
        return self.here.g << 16 | self.here.number if self.generations else None

    def held(self) -> tuple[int, ...]:
        return tuple(held.g for held in self.generations)

    def tick(self, ticks: int) -> Ticked:
        self._need_epoch()
        role = MONITOR if self.mode == MONITOR else self.role
        self.silence += ticks
        beacon = self._beacon() if role == MASTER and self.silence >= BEACON else b""
        assert self.epoch is not None
        return Ticked(role, self.epoch, len(self.revoked), self.term, self.master, beacon)

    def lead(self) -> None:
        self.role, self.master, self.term, self.silence = MASTER, self.lane, self.term + 1, BEACON

    def control(self, capsule: bytes) -> int:
        held, header = self._header(capsule)
        if header.kind != OF_CONTROL:
            raise device_error(errors.KIND)
        if held is not self.here:
            raise device_error(errors.STALE)
        data = _unit_errors(open_control, CRYPTO, control_key(CRYPTO, held.secret), header, capsule)
        number, term = _unit_errors(unpack_beacon, data, held.g)
        if (term, header.lane) > (self.term, self.master):
            self.role, self.master, self.term = SLAVE, header.lane, term
        has_moved = number > held.number
        held.number = max(held.number, number)
        return MOVED if has_moved else HEARD

    def notice(self, g: int, capsule: bytes) -> int:
        if g < self._next[0]:
            raise device_error(errors.STALE)
        key = self._member_key(g)
        header = _unit_errors(HeaderKeys(CRYPTO, header_keys(CRYPTO, key)).unmask, capsule[:WIRE_HEADER_SIZE])
        data = _unit_errors(open_control, CRYPTO, key, header, capsule)
        notice = _unit_errors(unpack_notice, data, g, self.lane)
        revoked = tuple(lanes_in(notice.lanes))
        if not set(self.revoked) <= set(revoked):
            raise device_error(errors.ROSTER)
        others = [Held(number, secret, count) for number, count, _, secret in notice.others]
        past = {held.g: held for held in (*others, *self.generations)}
        self.generations = [Held(g, notice.secret, len(revoked)), *(past[k] for k in sorted(past)[::-1][:PAST])]
        self.revoked, self._next = revoked, (g + 1, ratchet(CRYPTO, key, NEXT_MEMBER_KEY, 1))
        self.role, self.master, self.term = SLAVE, 0, 0
        self.noticed.append(g)
        return g << 16

    def hint(self, g: int) -> bytes:
        if g < self._next[0]:
            raise device_error(errors.STALE)
        return hint_of(CRYPTO, self._member_key(g))

    def renew(self) -> int:
        self._need_epoch()
        self.here.number += 1
        self.lead()
        assert self.epoch is not None
        return self.epoch

    def set_role(self, mode: int) -> None:
        self.mode = mode

    def seal(self, kind: int, data: bytes, lane: int = 0) -> Sealed:
        """Seal as the unit would; a thief names another lane."""
        self._need_epoch()
        self.own_number += 1
        number = self.here.number
        header = Header.new(HYBRID, VERNAM, lane or self.lane, self.own_number, self._random.randbytes(8), kind, number)
        chunk = seal_chunk(CRYPTO, self.here.key(number), header, data, memoryview(bytearray(LARGEST_PIECE)))
        assert self.epoch is not None
        return Sealed(self.here.masks.mask(header) + bytes(chunk), self.epoch)

    def open(self, capsule: bytes, *, vouched: bool = False) -> Opened:
        held, header = self._header(capsule)
        if header.kind == OF_CONTROL:
            raise device_error(errors.KIND)
        if header.epoch < held.low:
            raise device_error(errors.TOO_OLD)
        if held is not self.here and held.revoked < len(self.revoked) and not vouched:
            raise device_error(errors.CUT)
        chunk, view = capsule[WIRE_HEADER_SIZE:], memoryview(bytearray(LARGEST_PIECE))
        data = bytes(_unit_errors(open_chunk, CRYPTO, held.key(header.epoch), header, chunk, view))
        if held is self.here:
            held.number = max(held.number, header.epoch)
        return Opened(header.kind, held.g << 16 | header.epoch, header.lane, header.number, data)

    def _beacon(self) -> bytes:
        self.silence = 0
        self.own_number += 1
        data = pack_beacon(self.here.g, self.here.number, self.term)
        sender, salt = (self.lane, self.own_number), self._random.randbytes(8)
        return seal_control(CRYPTO, control_key(CRYPTO, self.here.secret), self.here.masks, sender, salt, data)

    def _header(self, capsule: bytes) -> tuple[Held, Header]:
        self._need_epoch()
        for held in self.generations:
            try:
                header = held.masks.unmask(capsule[:WIRE_HEADER_SIZE])
            except errors.UnitError:
                continue
            if header.lane == self.lane:
                raise device_error(errors.REFLECTED)
            if header.lane in self.revoked:
                raise device_error(errors.REVOKED)
            return held, header
        raise device_error(errors.HEADER)

    def _member_key(self, g: int) -> bytes:
        base, key = self._next
        return ratchet(CRYPTO, key, NEXT_MEMBER_KEY, g - base)

    def _need_epoch(self) -> None:
        if not self.generations:
            raise device_error(errors.NO_EPOCH)


def _unit_errors(work: Any, *arguments: Any) -> Any:
    try:
        return work(*arguments)
    except errors.UnitError as error:
        raise DeviceError(error.code) from None
