# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Controls: a small network in software with the rules that adversaries attack, one of which can be left out.

With all rules it must stand; without one it must fall to the adversary of that rule. Its bundles and headers are like
the product's, for what adversaries alter and try; all else is as simple as it can be.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ndks.crypto import CRYPTO
from ndks.network.bundle import BadBundle, Bundle
from ndks_laboratory.homologation.system import Dump, Refusal
from ndks_protocol.capsule import Header, HeaderKeys, header_keys
from ndks_protocol.control.limits import MOVE_PAUSE
from ndks_protocol.errors import UnitError
from ndks_protocol.wire import HYBRID, MESSAGE, OF_CONTROL, VERNAM, WIRE_HEADER_SIZE

from .system import NetworkSystem, Thief

RULES = SIGNED, TAGGED, FRESH, PAUSED, SEALED, REVOKING = (
    "signatures of bundles",
    "tags of beacons",
    "numbers of beacons",
    "a pause between moves",
    "sealed flash",
    "revocation",
)
_LANES = 1, 2, 3
_MASTER, _STOLEN = 1, 3
_SIZE, _TAG, _PATIENCE, _IN_TIME = 32, 16, 40, 120
_DRAWS = b"toy network"  # combined with the seed, for a random stream of its own


@dataclass
class Loot(Thief):
    """A stolen member: its lane, its own key, and the secrets of generations that it knows."""

    network: "ToyNetwork"
    lane: int
    secrets: dict[int, bytes] = field(default_factory=dict[int, bytes], repr=False)

    def read(self, packets: Iterable[bytes]) -> set[bytes]:
        packets = list(packets)
        for packet in packets:
            self._learn(packet)
        opened = (opened_by(secret, packet) for packet in packets for secret in self.secrets.values())
        return {text for text in opened if text is not None}

    def send(self, text: bytes) -> list[bytes]:
        return [self.network.sealed(self._newest, self.lane, MESSAGE, text)]

    def beacons(self) -> list[bytes]:
        return [self.network.sealed(self._newest, self.lane, OF_CONTROL, b"")]

    @property
    def _newest(self) -> bytes:
        return self.secrets[max(self.secrets)]

    def _learn(self, packet: bytes) -> None:
        try:
            bundle = Bundle.parse(packet)
        except BadBundle:
            return
        for notice in bundle.notices_for(_hint(self.lane)):
            self.secrets[bundle.g] = _xor(notice, self.network.mask(self.lane, bundle.g))


class ToyNetwork(NetworkSystem):
    """Three members; `without` is the rule that is left out."""

    def __init__(self, seed: int = 0, without: str = "") -> None:
        self._random = np.random.default_rng((seed, *_DRAWS))
        self._without = without
        self._signing = Ed25519PrivateKey.from_private_bytes(self._random.bytes(_SIZE))
        self._keys = {lane: self._random.bytes(_SIZE) for lane in _LANES}
        self._marks = {f"member {lane}": self._random.bytes(_TAG) for lane in _LANES[:2]}
        self._recording: list[bytes] = []
        self._numbers: dict[int, int] = dict.fromkeys(_LANES, 0)
        self._g, self._secret = -1, b""
        self._next_generation(_LANES)
        self.beacons()
        self._next_generation(_LANES)

    def talk(self, text: bytes) -> list[bytes]:
        return self._publish(self.sealed(self._secret, 2, MESSAGE, text))

    def recording(self) -> list[bytes]:
        return list(self._recording)

    def beacons(self) -> list[bytes]:
        self._publish(self.sealed(self._secret, _MASTER, OF_CONTROL, b""))
        return [packet for packet in self._recording if len(packet) == WIRE_HEADER_SIZE + _TAG]

    def hear(self, packet: bytes) -> bytes:
        if self._without != TAGGED and opened_by(self._secret, packet) is None:
            raise Refusal("AUTH")
        return b"member 2"

    def another_leads(self, replayed: list[bytes]) -> bool:
        silence, last = 0, self._numbers[_MASTER]
        for packet in (_IN_TIME * replayed)[:_IN_TIME]:
            is_new = number_of(self._secret, packet) > last or self._without == FRESH
            silence = 0 if is_new else silence + 1
            if silence >= _PATIENCE:
                return True
        return False

    def bundle(self) -> bytes:
        return self._bundle

    def enter(self, packet: bytes) -> bytes:
        try:
            bundle = Bundle.parse(packet)
        except BadBundle:
            raise Refusal("IGNORED") from None
        is_signed = self._without == SIGNED or bundle.is_signed_by(self._signing.public_key().public_bytes_raw())
        if not is_signed or bundle.g <= self._g:
            raise Refusal("IGNORED")
        return b"member 2"

    def hurry(self, renewals: int) -> int:
        moved_at: list[int] = []
        for tick in range(renewals):
            if not moved_at or tick - moved_at[-1] >= MOVE_PAUSE or self._without == PAUSED:
                moved_at.append(tick)
        return len(moved_at)

    def steal(self) -> Thief:
        return Loot(self, _STOLEN)

    def revoke(self) -> None:
        self._next_generation(_LANES if self._without == REVOKING else _LANES[:2])

    def taken(self, packets: Iterable[bytes]) -> set[bytes]:
        return {text for text in (opened_by(self._secret, packet) for packet in packets) if text is not None}

    def dumps(self) -> tuple[Dump, ...]:
        keys = header_keys(CRYPTO, self._secret)
        stored = keys if self._without == SEALED else _xor(keys, self._random.bytes(len(keys)))
        return tuple(Dump(owner, (mark + stored,)) for owner, mark in self._marks.items())

    def marks(self) -> Mapping[str, bytes]:
        return self._marks

    def sealed(self, secret: bytes, lane: int, kind: int, text: bytes) -> bytes:
        """Return a capsule: a header, the text under a key of its own, and a tag."""
        self._numbers[lane] += 1
        header = Header.new(HYBRID, VERNAM, lane, self._numbers[lane], self._random.bytes(8), kind)
        key = _key(secret, header)
        body = _xor(text, key * (len(text) // len(key) + 1))
        return HeaderKeys(CRYPTO, header_keys(CRYPTO, secret)).mask(header) + body + _mac(key, body)[:_TAG]

    def mask(self, lane: int, g: int) -> bytes:
        """Return what hides the secret of a generation from all but one member."""
        return _mac(self._keys[lane], g.to_bytes(2))

    def _next_generation(self, lanes: Iterable[int]) -> None:
        self._g, self._secret = self._g + 1, self._random.bytes(_SIZE)
        notices = [(_hint(lane), _xor(self._secret, self.mask(lane, self._g))) for lane in lanes]
        self._bundle = Bundle.signed(self._signing, self._g, self._g - 1, notices, b"").content
        self._publish(self._bundle)

    def _publish(self, packet: bytes) -> list[bytes]:
        self._recording.append(packet)
        return [packet]


def opened_by(secret: bytes, packet: bytes) -> bytes | None:
    """Return the text of a capsule, or None if it is of another generation or was altered."""
    body, tag = packet[WIRE_HEADER_SIZE:-_TAG], packet[-_TAG:]
    header = _header(secret, packet)
    if header is None or not hmac.compare_digest(_mac(_key(secret, header), body)[:_TAG], tag):
        return None
    key = _key(secret, header)
    return _xor(body, key * (len(body) // len(key) + 1))


def number_of(secret: bytes, packet: bytes) -> int:
    """Return the number of a capsule, 0 if it does not open."""
    header = _header(secret, packet)
    return header.number if header and opened_by(secret, packet) is not None else 0


def _header(secret: bytes, packet: bytes) -> Header | None:
    try:
        return HeaderKeys(CRYPTO, header_keys(CRYPTO, secret)).unmask(packet[:WIRE_HEADER_SIZE])
    except UnitError:
        return None


def _key(secret: bytes, header: Header) -> bytes:
    return _mac(secret, bytes(header.clear))


def _hint(lane: int) -> bytes:
    return lane.to_bytes(4)


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))
