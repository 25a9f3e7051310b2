# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The packages agree with the golden vectors of tunnels, byte by byte."""

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateways.handshaking import End, Gateway, Network, meet
from ndks_gateways.tunnel import bundles, frames, noise
from ndks_gateways.tunnel.datagrams import Datagrams
from ndks_gateways.tunnel.derivations import message_check, message_psk
from ndks_gateways.tunnel.doors import Door, epoch_door, pair_door
from ndks_gateways.tunnel.handshake import Established, Identity, Resumable, accept, connect
from ndks_gateways.tunnel.records import Opener, Sealer
from ndks_gateways.tunnel.steps import Doors, MessageKeys, Open, OpenedKeys, Seal

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "protocol" / "vectors" / "tunnel.json").read_text())
LANES = {"a": 1, "b": 2}


def of(value: str) -> bytes:
    return bytes.fromhex(value)


class Told(Gateway):
    """A gateway whose unit says what the vectors say."""

    def __init__(self, vector: dict[str, Any], side: str) -> None:
        super().__init__(Network(), LANES[side], vector["name"])
        self.vector, self.side = vector, side

    @property
    def identity(self) -> Identity:
        mine = self.vector[self.side]
        static = X25519PrivateKey.from_private_bytes(of(mine["static"]))
        return Identity(self.name, of(mine["process"]), mine["window"], static, self.lane)

    @property
    def doors(self) -> list[Door]:
        return [epoch_door(of(self.vector["secret"]), 5, self.name)]

    def answer(self, step: Any) -> Any:
        if isinstance(step, Doors):
            return self.doors
        if not isinstance(step, Seal | Open):
            return True
        other = "b" if self.side == "a" else "a"
        said = self.vector[f"message_of_{self.side if isinstance(step, Seal) else other}"]
        keys = of(said["tag_key"]), of(said["aes_key"])
        if isinstance(step, Seal):
            return MessageKeys(of(said["header"]), *keys)
        assert step.header == of(said["header"])
        return OpenedKeys(LANES[other], *keys)


def played(vector: dict[str, Any], ephemerals: list[str], a: Any, b: Any) -> tuple[Established, Established]:
    """Return the links of both ends, whose challenge and ephemeral keys are those of the vectors."""
    given = [X25519PrivateKey.from_private_bytes(of(key)) for key in ephemerals]

    class Given:
        @staticmethod
        def generate() -> X25519PrivateKey:
            return given.pop(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "X25519PrivateKey", Given)
        patch.setattr(secrets, "token_bytes", lambda _: of(vector["hello"])[5:])
        first, second = a(), b()
        sent = meet(first, second)
    assert sent == [of(vector[name]) for name in ("hello", "knock", "accept", "last") if name in vector]
    return first.link, second.link


def check_keys(keys: dict[str, str], a: Established, b: Established, is_full: bool) -> None:
    assert (a.send_key, a.receive_key) == (of(keys["a_to_b"]), of(keys["b_to_a"]))
    assert (b.send_key, b.receive_key) == (of(keys["b_to_a"]), of(keys["a_to_b"]))
    assert (a.udp_send, a.udp_receive) == (b.udp_receive, b.udp_send) == (of(keys["udp_a"]), of(keys["udp_b"]))
    for end in (a, b):
        assert (end.resumable.id, end.resumable.key) == (of(keys["id"]), of(keys["resume"]))
        assert end.udp_id == of(keys["id"])[:4]
        assert end.pair == (of(keys["pair"]) if is_full else None)


@pytest.mark.parametrize("vector", VECTORS["full"], ids=lambda vector: vector["name"].encode().hex())
def test_handshakes(vector: dict[str, Any]) -> None:
    name = vector["name"]
    assert pair_door(of(vector["secret"]), name).key == of(vector["door"])
    for said in (vector["message_of_a"], vector["message_of_b"]):
        given = [of(said[field]) for field in ("header", "tag_key", "aes_key")]
        assert message_psk(*given) == of(said["psk"])
        assert message_check(*given) == of(said["check"])
    a, b = Told(vector, "a"), Told(vector, "b")
    links = played(vector, [vector[side]["ephemeral"] for side in "ab"], a.connect, b.accept)
    check_keys(vector["keys"], *links, is_full=True)
    for link, other in zip(links, "ba", strict=True):
        said = vector[other]
        expected = of(said["process"]), said["window"], LANES[other], of(said["static_public"])
        assert (link.peer.process, link.peer.window, link.peer.lane, link.peer.static) == expected
    known: dict[bytes, Resumable] = {links[1].resumable.id: links[1].resumable}
    resumed = vector["resumed"]
    links = played(
        resumed,
        [resumed["ephemeral_of_a"], resumed["ephemeral_of_b"]],
        lambda: End(a, connect(a.identity, links[0].resumable, a.expected)),
        lambda: End(b, accept(b.identity, known, b.expected)),
    )
    check_keys(resumed["keys"], *links, is_full=False)


def test_bundles() -> None:
    for case in VECTORS["bundles"]:
        listed = [(each["generation"], of(each["packet"])) for each in case["bundles"]]
        packed = of(case["accept"])[5:]
        assert bundles.pack(listed) == packed
        assert bundles.unpack(packed) == tuple(listed)


def test_records() -> None:
    given = VECTORS["records"]
    sealer, opener = Sealer(of(given["key"])), Opener(of(given["key"]))
    for said in given["records"]:
        content = frames.frame(said["kind"], said["stream"], of(said["data"]))
        assert sealer.seal(content) == of(said["record"])
        (opened,) = (frames.parse(each) for each in opener.feed(of(said["record"])))
        assert (opened.kind, opened.stream, bytes(opened.data)) == (said["kind"], said["stream"], of(said["data"]))
    bulk = given["bulk"]
    data = bytes(number % 251 for number in range(bulk["size"]))
    record = sealer.seal(frames.frame(frames.DATA, bulk["stream"], data))
    assert hashlib.sha256(record).hexdigest() == bulk["sha256"]


def test_datagrams() -> None:
    given = VECTORS["datagrams"]
    receiving, sending = Datagrams(), Datagrams()
    for end in (receiving, sending):
        end.renew(of(given["id"]), of(given["key"]), of(given["key"]))
        end.confirm()
    for turn, said in enumerate(given["good"]):
        if said["number"] == turn:
            assert sending.seal(said["flow"], of(said["data"])) == of(said["packet"])
        opened = receiving.open(of(said["packet"]))
        assert opened
        assert (opened.flow, bytes(opened.data)) == (said["flow"], of(said["data"]))
    for said in given["bad"]:
        assert receiving.open(of(said["packet"])) is None, said["why"]
