# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The whole product as a side of the world: agents, administrators and units."""

from random import Random
from typing import Any

from support.power_cuts import FULL

from ndks.crypto import CRYPTO
from ndks_protocol import errors
from ndks_protocol.capsule import Header, HeaderKeys, MessageKeys, Sealer, header_keys
from ndks_protocol.control.beacon import pack_beacon
from ndks_protocol.control.capsules import open_control, seal_control
from ndks_protocol.control.ladder import NEXT_MEMBER_KEY, hint_of, parameters_of, ratchet
from ndks_protocol.control.notice import unpack_notice
from ndks_protocol.network_id import control_key
from ndks_protocol.wire import HYBRID, VERNAM, WIRE_HEADER_SIZE

from ..model.capsules import epoch_key
from ..model.epochs import Member
from ..world.interface import Haul, Packet, Sight
from .capsules import NUMBERS
from .machine import ProductMachine
from .quick_bits import QuickGenerator
from .side import AgentsSide, packed_word
from .unit_device import UnitDevice


class ProductSide(AgentsSide):
    """Everything of the product but sessions and generators."""

    steps_of_power = 200
    wear_of_a_move = 3  # erases of nvm
    stride = 1 if FULL else 7

    def device(self, member: Member, watch: Any, random: Random) -> Any:
        return UnitDevice(member, self._enrolment, self.capsules, watch, random)

    @property
    def _enrolment(self) -> tuple[Any, ...]:
        """Membership behind epoch and lane."""
        network = self._network
        assert network
        return HYBRID, VERNAM, network.digits, bytes(32), network.name, network.p1, network.p2, 0, 0

    def damaged(self, packet: Packet, random: Random) -> Packet | None:
        place = random.randrange(len(packet))
        if random.random() < 0.3:
            return packet[: max(1, place)]
        return packet[:place] + bytes((packet[place] ^ 1 << random.randrange(8),)) + packet[place + 1 :]

    def open_notice(self, bundle: Packet, g: int, key: bytes) -> list[Haul]:
        parsed = self._parsed(bundle)
        if not parsed:
            return []
        key = ratchet(CRYPTO, key, NEXT_MEMBER_KEY, max(0, parsed.g - g))
        for capsule in parsed.notices_for(hint_of(CRYPTO, key)):
            try:
                header = HeaderKeys(CRYPTO, header_keys(CRYPTO, key)).unmask(capsule[:WIRE_HEADER_SIZE])
                notice = unpack_notice(open_control(CRYPTO, key, header, capsule), parsed.g, 0)
            except errors.UnitError:
                continue
            own = haul_of_secret(notice.generation, notice.operators, notice.secret)
            return [own, *(haul_of_secret(other, operators, secret) for other, _, operators, secret in notice.others)]
        return []

    def reads(self, haul: Haul, packet: Packet, sight: Sight) -> bool:
        return sight.key == epoch_key(haul.secret, max(0, sight.number - haul.low))

    def forge_beacon(self, haul: Haul, lane: int, n: int, number: int, term: int) -> Packet:
        masks, control, _ = haul.keys
        data, salt = pack_beacon(haul.g, number, term), self._random.randbytes(8)
        return seal_control(CRYPTO, control or bytes(32), HeaderKeys(CRYPTO, masks), (lane, n), salt, data)

    def forge(self, haul: Haul, lane: int, n: int, number: int, word: tuple[Any, ...]) -> Packet:
        masks, _, operators = haul.keys
        kind, data = packed_word(word)
        header = Header.new(HYBRID, VERNAM, lane, n, self._random.randbytes(8), NUMBERS[kind], number)
        key = epoch_key(haul.secret, max(0, number - haul.low))
        assert self._network
        first = self._network.p1, self._network.p2
        parameters = parameters_of(CRYPTO, key) if haul.g or number else first
        bits = QuickGenerator(*parameters, operators[0]).key(header.index)
        sealer = Sealer(CRYPTO, MessageKeys(CRYPTO, key, header, bytes(16), _reader(bits)))
        return HeaderKeys(CRYPTO, masks).mask(header) + sealer.seal(0, 1, data)

    def loot(self, machine: ProductMachine) -> tuple[list[Haul], list[tuple[int, bytes]]]:
        return machine.device.loot()


def _reader(bits: Any) -> Any:
    def read(offset: int, size: int) -> bytearray:
        part = bytearray(size)
        bits.read_into(part, 8 * offset)
        return part

    return read


def haul_of_secret(g: int, operators: tuple[int, int, int], secret: bytes) -> Haul:
    masks = header_keys(CRYPTO, secret)
    return Haul(g, masks[:32], (masks, control_key(CRYPTO, secret), operators), secret, 0)
