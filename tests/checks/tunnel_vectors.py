# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of tunnels: doors, handshakes, records, datagrams. Noise is the package `noiseprotocol`."""

import hashlib
import hmac
import random
import struct
import warnings
from typing import Any, NamedTuple

from capsule_reference import derive
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from noise.connection import Keypair, NoiseConnection
from x25519_reference import public_key

SEED = 20261129
NAMES = ("office", "a", "b\u00fcro-2")
FULL, RESUMED = "XXpsk0+psk2", "NNpsk0"


class Side(NamedTuple):
    """One gateway in a handshake: private keys, and what the payload says."""

    static: bytes
    ephemeral: bytes
    process: bytes
    window: int

    @property
    def payload(self) -> bytes:
        return self.process + struct.pack(">I", self.window)

    def renewed(self, rng: random.Random) -> "Side":
        return self._replace(ephemeral=rng.randbytes(32))

    def described(self) -> dict[str, Any]:
        keys = {"static": self.static, "static_public": public_key(self.static), "ephemeral": self.ephemeral}
        return {**in_hex({**keys, "process": self.process}), "window": self.window}


class Message(NamedTuple):
    """A message of a unit: its header and keys."""

    header: bytes
    tag_key: bytes
    aes_key: bytes

    @property
    def psk(self) -> bytes:
        return derive(self.tag_key + self.aes_key, "ndks tunnel 2", self.header)

    @property
    def check(self) -> bytes:
        context = self.header + hashlib.sha256(self.aes_key).digest()
        return derive(self.tag_key, "ndks gateway check", context)[:8]

    def described(self) -> dict[str, str]:
        return in_hex({**self._asdict(), "psk": self.psk, "check": self.check})


class Talk:
    """Both ends of Noise."""

    def __init__(self, pattern: str, prologue: bytes, psks: list[bytes], a: Side, b: Side) -> None:
        self._ends = [self._end(pattern, side is a, prologue, psks, side) for side in (a, b)]
        self._symmetric: Any = self._ends[0].noise_protocol.symmetric_state
        self._writes = 0

    @staticmethod
    def _end(pattern: str, is_initiator: bool, prologue: bytes, psks: list[bytes], side: Side) -> Any:
        end: Any = NoiseConnection.from_name(f"Noise_{pattern}_25519_AESGCM_SHA256".encode())
        end.set_psks(psks=list(psks))
        (end.set_as_initiator if is_initiator else end.set_as_responder)()
        end.set_prologue(prologue)
        if pattern == FULL:
            end.set_keypair_from_private_bytes(Keypair.STATIC, side.static)
        end.set_keypair_from_private_bytes(Keypair.EPHEMERAL, side.ephemeral)
        with warnings.catch_warnings(action="ignore"):  # of ephemeral keys that are given
            end.start_handshake()
        return end

    def write(self, payload: bytes) -> bytes:
        """Return the next message, behind its size."""
        writer, reader = self._ends[:: 1 if self._writes % 2 == 0 else -1]
        self._writes += 1
        message = bytes(writer.write_message(payload))
        assert bytes(reader.read_message(message)) == payload
        return struct.pack(">H", len(message)) + message

    def keys(self) -> dict[str, bytes]:
        h, ck = self._symmetric.h, self._symmetric.ck
        to_b, to_a, x = hkdf(ck, 3)
        names = "resume", "pair", "udp A", "udp B"
        resume, pair, udp_a, udp_b = (derive(x, f"ndks tunnel {name}", h) for name in names)
        named = {"h": h, "a_to_b": to_b, "b_to_a": to_a, "x": x, "resume": resume, "pair": pair}
        return {**named, "udp_a": udp_a, "udp_b": udp_b, "id": derive(resume, "ndks tunnel id")[:16]}


def hkdf(ck: bytes, count: int) -> list[bytes]:
    key, keys = hmac.digest(ck, b"", hashlib.sha256), [b""]
    for number in range(count):
        keys.append(hmac.digest(key, keys[-1] + bytes([number + 1]), hashlib.sha256))
    return keys[1:]


def in_hex(values: dict[str, bytes]) -> dict[str, str]:
    return {name: value.hex() for name, value in values.items()}


def door_of(secret: bytes, name: str) -> bytes:
    return derive(secret, "ndks tunnel door", name.encode())


def make_tunnel() -> dict[str, Any]:
    rng = random.Random(SEED)
    return {
        "about": "tunnels of gateways A, which calls, and B. A door is made of 32 bytes of an exported key, or of pair"
        " of an earlier link. Of the unit's messages: the header, the keys that both units make, the pre-shared key"
        " and the check. static and ephemeral are private keys. A resumed handshake follows the full one whose resume"
        " and id it uses. Records are those of one key in turn; bulk has a frame of DATA whose byte i of the data is"
        " i mod 251, by its SHA-256. Datagrams that are bad are dropped.",
        "full": [full(rng, name) for name in NAMES],
        "bundles": bundles(rng),
        "records": records(rng),
        "datagrams": datagrams(rng),
    }


def side(rng: random.Random) -> Side:
    return Side(rng.randbytes(32), rng.randbytes(32), rng.randbytes(16), rng.choice((1 << 20, 0, (1 << 32) - 1)))


def full(rng: random.Random, name: str) -> dict[str, Any]:
    a, b, secret = side(rng), side(rng), rng.randbytes(32)
    of_a, of_b = (Message(rng.randbytes(37), rng.randbytes(32), rng.randbytes(32)) for _ in "AB")
    hello = b"NDKT\x02" + rng.randbytes(16)
    talk = Talk(FULL, hello + b"\x01" + of_a.header + of_a.check + name.encode(), [of_a.psk, of_b.psk], a, b)
    knock = b"\x01" + of_a.header + of_a.check + talk.write(a.payload)
    door = door_of(secret, name)
    mac = derive(door, "ndks tunnel knock", hello + knock)[:16]
    accept = b"\x01" + of_b.header + of_b.check + talk.write(b.payload)
    last = talk.write(a.payload)
    keys = talk.keys()
    return {
        "name": name,
        "secret": secret.hex(),
        "door": door.hex(),
        "a": a.described(),
        "b": b.described(),
        "message_of_a": of_a.described(),
        "message_of_b": of_b.described(),
        **in_hex({"hello": hello, "knock": knock + mac, "accept": accept, "last": last}),
        "keys": in_hex(keys),
        "resumed": resumed(rng, name, (a.renewed(rng), b.renewed(rng)), keys),
    }


def resumed(rng: random.Random, name: str, sides: tuple[Side, Side], former: dict[str, bytes]) -> dict[str, Any]:
    a, b = sides
    hello = b"NDKT\x02" + rng.randbytes(16)
    talk = Talk(RESUMED, hello + b"\x02" + former["id"] + name.encode(), [former["resume"]], a, b)
    knock = b"\x02" + former["id"] + talk.write(a.payload)
    accept = b"\x02" + talk.write(b.payload)
    keys = {name: value for name, value in talk.keys().items() if name != "pair"}
    ephemerals = {"ephemeral_of_a": a.ephemeral, "ephemeral_of_b": b.ephemeral}
    return in_hex({**ephemerals, "hello": hello, "knock": knock, "accept": accept}) | {"keys": in_hex(keys)}


def bundles(rng: random.Random) -> list[dict[str, Any]]:
    cases: list[list[tuple[int, bytes]]] = [[], [(1, b"")], [(g, rng.randbytes(g)) for g in (3, 4, 300)]]
    made: list[dict[str, Any]] = []
    for case in cases:
        packed = b"".join(struct.pack(">HI", g, len(packet)) + packet for g, packet in case)
        listed = [{"generation": g, "packet": packet.hex()} for g, packet in case]
        made.append({"bundles": listed, "accept": (b"\x03" + struct.pack(">I", len(packed)) + packed).hex()})
    return made


def seal(key: bytes, number: int, text: bytes, ad: bytes | None = None) -> bytes:
    return AESGCM(key).encrypt(bytes(4) + struct.pack(">Q", number), text, ad)


def frame(kind: int, stream: int, data: bytes) -> bytes:
    return struct.pack(">BI", kind, stream) + data


def records(rng: random.Random) -> dict[str, Any]:
    key = rng.randbytes(32)
    frames = [
        *((5, 0, bytes(8)), (0, 1, b""), (1, 1, b"text"), (3, 1, struct.pack(">I", 1 << 18)), (2, 1, b"")),
        *((4, (1 << 32) - 1, b""), (6, 0, b""), (8, 0, rng.randbytes(78)), (8, 0, b"")),
        *((5, 0, struct.pack(">Q", 1 << 40)), (7, 0, b"")),
    ]
    made: list[dict[str, Any]] = []
    for number, (kind, stream, data) in enumerate(frames):
        sealed = seal(key, number, frame(kind, stream, data))
        record = (len(sealed).to_bytes(3, "big") + sealed).hex()
        made.append({"kind": kind, "stream": stream, "data": data.hex(), "record": record})
    large = seal(key, len(frames), frame(1, 7, bytes(i % 251 for i in range(1 << 16))))
    digest = hashlib.sha256(len(large).to_bytes(3, "big") + large).hexdigest()
    return {"key": key.hex(), "records": made, "bulk": {"stream": 7, "size": 1 << 16, "sha256": digest}}


def datagrams(rng: random.Random) -> dict[str, Any]:
    key, name = rng.randbytes(32), rng.randbytes(4)

    def packet(number: int, flow: int, data: bytes) -> bytes:
        head = name + struct.pack(">Q", number)
        return head + seal(key, number, struct.pack(">I", flow) + data, head)

    numbered = [(0, 1, b""), (1, (1 << 32) - 1, b"text"), (2, 0, rng.randbytes(1200)), (1 << 40, 2, b"far ahead")]
    good = [
        {"number": number, "flow": flow, "data": data.hex(), "packet": packet(number, flow, data).hex()}
        for number, flow, data in numbered
    ]
    bad = {
        "come before": packet(1 << 40, 2, b"far ahead"),
        "1024 or more behind": packet((1 << 40) - 1024, 2, b"late"),
        "altered": packet((1 << 40) + 1, 2, b"text")[:-1] + b"\0",
        "another id": bytes(4) + packet((1 << 40) + 1, 2, b"text")[4:],
        "cut short": packet((1 << 40) + 1, 2, b"")[:-1],
        "no flow": name + struct.pack(">Q", 5 << 40) + seal(key, 5 << 40, b"", name + struct.pack(">Q", 5 << 40)),
    }
    listed = [{"why": why, "packet": value.hex()} for why, value in bad.items()]
    return {"id": name.hex(), "key": key.hex(), "good": good, "bad": listed}
