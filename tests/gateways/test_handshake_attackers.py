# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attackers on the handshake. Each test also shows that the attack works where its defence is missing."""

import random
import secrets
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateways.handshaking import Closed, Gateway, Network, linked, meet, pair
from ndks_gateways.tunnel import errors, noise
from ndks_gateways.tunnel.derivations import message_psk
from ndks_gateways.tunnel.doors import pair_door
from ndks_gateways.tunnel.handshake import Expected
from ndks_gateways.tunnel.knocks import HELLO_SIZE, full_prologue, header_and_check
from ndks_gateways.tunnel.noise import Noise
from ndks_gateways.tunnel.steps import Admit, Doors, Open, Seal

FULL_KNOCK = 1 + 37 + 8 + 2 + 68 + 16


def test_a_knock_that_was_recorded_is_void(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pair()
    first, second = a.connect(), b.accept()
    sent = meet(first, second)
    assert second.result
    b.steps.clear()
    for _ in range(3):
        again = b.accept()
        again.run()
        again.inbox += sent[1]
        again.run()
        assert isinstance(again.error, errors.NoDoor)
    assert b.asked(Open, Seal, Admit) == 0
    monkeypatch.setattr(secrets, "token_bytes", lambda _: sent[0][5:])  # the challenge is what stops it
    again = b.accept()
    again.run()
    again.inbox += sent[1]
    assert again.run()
    again.inbox += sent[3]
    again.run()
    assert isinstance(again.error, errors.Forged)  # and the fresh key of B


def test_a_resumption_that_was_recorded_is_void() -> None:
    a, b = pair()
    ours, theirs = linked(a, b)
    b.resumables = {theirs.resumable.id: theirs.resumable}
    first, second = a.connect(ours.resumable), b.accept()
    sent = meet(first, second)
    assert second.link.is_resumed
    again = b.accept()
    again.run()
    again.inbox += sent[1]
    again.run()
    assert isinstance(again.error, errors.Forged)


def test_what_a_gateway_sent_comes_back_to_it() -> None:
    """A knock as an accept; a knock to A's own end B; and records in the wrong direction."""
    a, b = pair()
    first, second = a.connect(), b.accept()
    first.inbox += second.run()
    knock = first.run()
    first.inbox += knock[:46] + (116).to_bytes(2, "big") + bytes(116)
    first.run()
    assert isinstance(first.error, errors.Reflected)
    first, second = a.connect(), a.accept()  # of two tunnels of one name, in both directions
    meet(first, second)
    assert isinstance(second.error, errors.Reflected)
    ours, theirs = linked(a, b)
    sealed = AESGCM(ours.send_key).encrypt(bytes(12), b"frame", None)
    assert AESGCM(theirs.receive_key).decrypt(bytes(12), sealed, None) == b"frame"
    with pytest.raises(InvalidTag):
        AESGCM(ours.receive_key).decrypt(bytes(12), sealed, None)


@pytest.mark.parametrize("version", [0, 1, 3, 255])
def test_a_downgrade_is_noticed(version: int) -> None:
    a, b = pair()
    first, second = a.connect(), b.accept()
    meet(first, second, to_first=lambda data: data[:4] + bytes([version]) + data[5:])
    assert isinstance(first.error, errors.OtherVersion)
    assert not second.result
    first, second = a.connect(), b.accept()
    hello = bytearray(second.run())
    hello[7] ^= 1  # whatever else is said in the hello, B knows what it said itself
    first.inbox += hello
    second.inbox += first.run()
    second.run()
    assert isinstance(second.error, errors.NoDoor)


def test_a_resumption_that_is_refused_ends_in_nothing_weaker() -> None:
    """Who cuts resumed links gets a full handshake, never one without the units."""
    a, b = pair()
    ours, theirs = linked(a, b)
    b.resumables = {theirs.resumable.id: theirs.resumable}
    first, second = a.connect(ours.resumable), b.accept()
    meet(first, second, to_first=lambda data: b"\x01" + data[1:] if data[0] == 2 else data)
    assert isinstance(first.error, errors.Garbage)
    assert not first.result


def test_a_link_is_led_to_another_tunnel() -> None:
    """The gateway serves another name, with the same units and static keys; even a common pair key is of no use."""
    a, b = pair()
    other = Gateway(b.network, b.lane, "payments", static=b.static)
    shared = b"\x07" * 32
    other.pairs, a.pairs = [pair_door(shared, "payments")], [pair_door(shared, "office")]
    for door in a.doors:
        first, second = a.connect(door), other.accept()
        meet(first, second)
        assert isinstance(second.error, errors.NoDoor)
        assert other.asked(Open) == 0


def test_a_link_is_led_to_another_gateway() -> None:
    a, b = pair()
    other = Gateway(b.network, 3)
    assert linked(a, other)[0].peer.lane == 3  # nothing named, nothing pinned yet
    a.expected = Expected(lane=2)
    first, second = a.connect(), other.accept()
    meet(first, second)
    assert isinstance(first.error, errors.OtherLane)
    assert isinstance(second.error, Closed)


def insider(network: Network, lane: int) -> Gateway:
    """Return a member with all that is in his unit, so with all keys of the network, in the name of any lane."""
    return Gateway(network, lane)


def test_a_member_plays_another_gateway() -> None:
    a, b = pair()
    a.expected, b.expected = Expected(2, b.public), Expected(1, a.public)
    plays_b, plays_a = insider(a.network, 2), insider(a.network, 1)
    first, second = a.connect(), plays_b.accept()
    meet(first, second)
    assert isinstance(first.error, errors.PinnedKeyDiffers)
    assert not second.result
    first, second = plays_a.connect(), b.accept()
    meet(first, second)
    assert isinstance(second.error, errors.PinnedKeyDiffers)
    a.expected, b.expected = Expected(2), Expected(1)  # lanes alone stop no member
    assert linked(a, plays_b)[0].peer.static == plays_b.public
    assert linked(plays_a, b)[1].peer.static == plays_a.public


@pytest.mark.parametrize(("own_hello", "own_knock"), [(True, True), (True, False), (False, True), (False, False)])
def test_a_member_between_two_gateways(own_hello: bool, own_knock: bool) -> None:
    """He makes what he can, and passes on the rest; who only passes on has the keys of no link."""
    a, b = pair()
    a.expected, b.expected = Expected(2, b.public), Expected(1, a.public)
    first, second = a.connect(), b.accept()
    plays_a, plays_b = insider(a.network, 1).connect(), insider(a.network, 2).accept()
    hello = second.run()
    first.inbox += plays_b.run() if own_hello else hello
    plays_a.inbox += hello
    knock, other_knock = first.run(), plays_a.run()
    plays_b.inbox += knock
    second.inbox += other_knock if own_knock else knock
    accepted, other_accept = second.run(), plays_b.run()
    first.inbox += other_accept if own_hello else accepted
    plays_a.inbox += accepted
    last = first.run()
    second.inbox += plays_a.run() if own_knock else last
    second.run()
    if own_hello or own_knock:
        assert not first.result
        assert not second.result
    else:
        assert first.link.send_key == second.link.receive_key


def test_the_file_and_the_unit_of_a_gateway_are_stolen() -> None:
    """The thief can play A; but not B to A, whose static key is in another house."""
    a, b = pair()
    a.expected, b.expected = Expected(2, b.public), Expected(1, a.public)
    thief = insider(a.network, 2)
    thief.static = a.static
    first, second = a.connect(), thief.accept()
    meet(first, second)
    assert isinstance(first.error, errors.Reflected | errors.PinnedKeyDiffers)
    thief.static, thief.lane = a.static, 1
    assert linked(thief, b)


class Reader(Noise):
    """Reads a recorded handshake with all static keys and all messages of both units; `guess` stands for ee."""

    guess = b""
    statics: tuple[X25519PrivateKey, X25519PrivateKey]  # of A and B
    publics: tuple[bytes, bytes]  # ephemeral ones of A and B

    def _mix(self, part: str) -> None:
        own, public = {"es": (1, 0), "se": (0, 1)}.get(part, (0, 0))
        if part == "psk":
            super()._mix(part)
        elif part == "ee":
            self._mix_key(self.guess)
        else:
            self._mix_key(self.statics[own].exchange(X25519PublicKey.from_public_bytes(self.publics[public])))


def test_recorded_traffic_and_later_both_units_and_all_files() -> None:
    a, b = pair()
    ephemerals: list[X25519PrivateKey] = []
    original = noise.X25519PrivateKey

    class Noted:
        @staticmethod
        def generate() -> X25519PrivateKey:
            ephemerals.append(original.generate())
            return ephemerals[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "X25519PrivateKey", Noted)
        first, second = a.connect(), b.accept()
        hello, knock, accepted, last = meet(first, second)
    ours = first.link
    header, check = header_and_check(knock[1:])
    keys = [message_psk(each, *a.network.keys(each)) for each in (header, accepted[1:38])]
    publics = knock[48:80], accepted[48:80]
    true = ephemerals[0].exchange(X25519PublicKey.from_public_bytes(publics[1]))

    def read(guess: bytes) -> tuple[bytes, ...]:
        reader = Reader("XXpsk0+psk2", False, full_prologue(hello, header, check, "office"))
        reader.psks += keys
        reader.statics, reader.publics, reader.guess = (a.static, b.static), publics, guess
        assert reader.read(knock[48:-16])[:16] == a.process  # the first message is not meant to be secret for ever
        assert reader.read(accepted[48:])[:16] == b.process
        reader.read(last[2:])
        return reader.split(2)

    assert read(true) == (ours.send_key, ours.receive_key)  # so the attack fails for want of ee alone
    static, other = a.static, b.static
    known = [bytes(32), *keys, *publics, static.private_bytes_raw(), other.private_bytes_raw()]
    known += [static.exchange(other.public_key())]
    known += [key.exchange(X25519PublicKey.from_public_bytes(public)) for key in (static, other) for public in publics]
    for guess in known:
        with pytest.raises(errors.Forged):
            read(guess)


def test_a_restart_reuses_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units put back to an earlier state give the same messages, and both hosts the same random numbers but keys."""
    a, b = pair(process=bytes(16))
    b.process = b"\x01" * 16
    monkeypatch.setattr(secrets, "token_bytes", bytes)
    seen: set[bytes] = set()
    for _ in range(5):
        random.seed(1)
        ours, _ = linked(a, b)
        seen |= {ours.send_key, ours.receive_key, ours.udp_send, ours.udp_receive, ours.resumable.key}
    assert len(seen) == 25


def test_ten_thousand_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the unit is asked nor anything computed but codes."""
    rng = random.Random(1)
    a, b = pair()
    link, _ = linked(a, b)
    b.resumables = {link.resumable.id: link.resumable}
    b.steps.clear()
    doors = b.doors
    monkeypatch.setattr(Gateway, "doors", doors)

    def refuse(*_: Any) -> Any:
        raise AssertionError("this is not for strangers")

    for name in ("AESGCM", "X25519PublicKey"):
        monkeypatch.setattr(noise, name, refuse)
    for _ in range(10_000):
        end = b.accept()
        assert len(end.run()) == HELLO_SIZE
        kind = rng.randrange(3)
        head = {0: b"\x01" + rng.randbytes(45) + b"\x00\x44", 1: b"\x02" + rng.randbytes(16) + b"\x00\x44"}.get(kind)
        end.inbox += head + rng.randbytes(84) if head else rng.randbytes(FULL_KNOCK)
        assert end.run() == b""
        end.close()
        assert isinstance(end.error, errors.NoDoor | errors.UnknownResumption | errors.Garbage | Closed)
    assert {type(step) for step in b.steps} == {Doors}


def test_who_saw_a_resumption_learns_nothing_by_its_name() -> None:
    """He knows the id: B refuses him before it computes X25519."""
    a, b = pair()
    link, theirs = linked(a, b)
    b.resumables = {theirs.resumable.id: theirs.resumable}
    end = b.accept()
    end.run()
    end.inbox += b"\x02" + link.resumable.id + b"\x00\x44" + random.randbytes(68)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "X25519PublicKey", None)
        assert end.run() == b""
    assert isinstance(end.error, errors.Forged)
