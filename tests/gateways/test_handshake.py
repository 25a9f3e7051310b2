# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The handshake of both ends: what it gives, and why it ends without a link."""

import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateways.handshaking import Closed, End, Gateway, linked, meet, pair
from ndks_gateways.tunnel import bundles, errors
from ndks_gateways.tunnel.doors import pair_door, pairs_to_keep
from ndks_gateways.tunnel.handshake import Established, Expected, Resumable, attempts
from ndks_gateways.tunnel.knocks import HELLO_SIZE
from ndks_gateways.tunnel.steps import Admit, Bundles, Doors, Open, Seal


def assert_linked(a: Established, b: Established) -> None:
    assert (a.send_key, a.receive_key) == (b.receive_key, b.send_key)
    assert (a.udp_send, a.udp_receive) == (b.udp_receive, b.udp_send)
    assert (a.pair, a.door, a.udp_id) == (b.pair, b.door, b.udp_id)
    assert (a.resumable.id, a.resumable.key) == (b.resumable.id, b.resumable.key)
    keys = [a.send_key, a.receive_key, a.udp_send, a.udp_receive, a.resumable.key, *([a.pair] if a.pair else [])]
    assert len(set(keys)) == len(keys)


def test_a_full_handshake() -> None:
    a, b = pair()
    ours, theirs = linked(a, b)
    assert_linked(ours, theirs)
    assert (ours.role, theirs.role) == ("A", "B")
    assert (ours.peer.lane, ours.peer.static, ours.peer.process, ours.peer.window) == (2, b.public, b.process, 1 << 20)
    assert (theirs.peer.lane, theirs.peer.static, theirs.peer.process) == (1, a.public, a.process)
    assert ours.pair
    assert not ours.is_resumed
    assert [a.asked(Seal), a.asked(Open), b.asked(Seal), b.asked(Open)] == [1, 1, 1, 1]


def test_resumption_asks_no_unit_and_gives_new_keys() -> None:
    a, b = pair()
    links = [linked(a, b)]
    for _ in range(3):
        ours, theirs = links[-1]
        b.resumables = {theirs.resumable.id: theirs.resumable}
        a.steps.clear()
        b.steps.clear()
        links.append(linked(a, b, ours.resumable))
        assert_linked(*links[-1])
        assert links[-1][0].is_resumed
        assert links[-1][0].pair is None
        assert links[-1][0].peer == links[0][0].peer
        assert links[-1][1].peer == links[0][1].peer
        assert not a.asked(Seal, Open, Doors, Bundles)
        assert not b.asked(Seal, Open, Doors, Bundles)
    assert len({link.send_key for link, _ in links} | {link.resumable.key for link, _ in links}) == 8


def test_what_is_not_known_any_more_is_followed_by_a_full_handshake() -> None:
    a, b = pair()
    ours, _ = linked(a, b)
    results: list[Any] = []
    for attempt in attempts(ours.resumable, a.doors):
        first, second = a.connect(attempt), b.accept()
        meet(first, second)
        results.append(first.error or first.link)
        if first.result:
            break
    assert isinstance(results[0], Closed)
    assert not results[1].is_resumed
    assert len(results) == 2


def test_attempts_in_turn() -> None:
    a, b = pair()
    ours, _ = linked(a, b)
    assert ours.pair
    door = pair_door(ours.pair, "office")
    order = attempts(ours.resumable, [*a.doors, door])
    assert order[:2] == [ours.resumable, door]
    assert order[2:] == a.doors
    assert [each.epoch for each in a.doors] == [3 << 16, 2 << 16, 1 << 16, 0]


def test_gateways_in_different_generations_meet_at_the_pair_door() -> None:
    """No door of an epoch is known to both any more: news passes all the same."""
    a, b = pair()
    ours, _ = linked(a, b)
    assert ours.pair
    door = pair_door(ours.pair, "office")
    a.generation, b.generation = 3, 20
    for attempt in (*a.doors, door):
        first, second = a.connect(attempt), b.accept()
        meet(first, second)
        assert isinstance(second.error, errors.NoDoor)
    b.pairs = [door]
    first, second = a.connect(door), b.accept()
    meet(first, second)
    assert isinstance(first.error, errors.UnitBehind)
    a.generation = 20
    assert_linked(*linked(a, b, door))


def test_the_pair_that_both_have_is_kept_however_often_the_end_is_cut() -> None:
    pairs = [bytes([number]) * 32 for number in range(6)]
    kept = pairs_to_keep(pairs[0], (), None, "office")
    assert kept == (pairs[0],)
    used = pair_door(pairs[0], "office")
    for new in pairs[1:]:
        kept = pairs_to_keep(new, kept, used, "office")
        assert kept == (new, pairs[0])
    assert pairs_to_keep(pairs[0], kept, None, "office") == (pairs[0], pairs[5])


def test_a_gateway_that_is_ahead_sends_what_the_other_lacks() -> None:
    """B's unit does not know the generation of A's message; they meet at A's door of an earlier epoch."""
    a, b = pair()
    a.generation = 5
    errors_met: list[Any] = []
    for door in attempts(None, a.doors):
        first, second = a.connect(door), b.accept()
        meet(first, second)
        errors_met.append((type(first.error), type(second.error)))
        if isinstance(second.error, errors.UnitBehind):
            break
    assert errors_met == [(Closed, errors.NoDoor)] * 2 + [(errors.PeerBehind, errors.UnitBehind)]
    assert isinstance(second.error, errors.UnitBehind)
    assert [generation for generation, _ in second.error.bundles] == [4, 5]


@pytest.mark.parametrize("cut", [0, 10])
def test_a_gateway_that_is_behind_though_its_messages_are_opened(cut: int) -> None:
    """A lane joined: B's unit opens A's message, but A's not that of B. If a lane was revoked, B's unit refuses."""
    a, b = pair()
    b.generation, b.network.cut = 10, cut
    first, second = a.connect(), b.accept()
    meet(first, second)
    assert isinstance(first.error, errors.UnitBehind)
    assert [generation for generation, _ in first.error.bundles] == [4, 5, 6, 7, 8, 9, 10]
    assert first.error.bundles[0] == (4, b"bundle 4")
    assert isinstance(second.error, errors.PeerBehind)


def test_the_unit_of_b_is_left_behind_in_the_midst() -> None:
    """A's unit refuses B's message as cut, after B's had opened A's."""
    a, b = pair()
    first, second = a.connect(), b.accept()
    first.inbox += second.run()
    second.inbox += first.run()
    first.inbox += second.run()
    a.generation, a.network.cut = 4, 4
    meet(first, second)
    assert isinstance(first.error, errors.PeerBehind)
    assert isinstance(second.error, errors.UnitBehind)
    assert second.error.bundles == ((0, b"bundle 0"), *((n, b"bundle %d" % n) for n in range(1, 5)))


def test_generators_that_went_apart() -> None:
    a, b = pair()
    b.twist = b"x"
    first, second = a.connect(), b.accept()
    meet(first, second)
    assert isinstance(second.error, errors.Diverged)
    assert not b.asked(Seal)
    assert isinstance(first.error, Closed)


def test_a_tells_generators_that_went_apart_too() -> None:
    a, b = pair()
    first, second = a.connect(), b.accept()
    first.inbox += second.run()
    second.inbox += first.run()
    a.twist = b"x"
    first.inbox += second.run()
    first.run()
    assert isinstance(first.error, errors.Diverged)


@pytest.mark.parametrize("side", ["A", "B"])
def test_another_lane_than_the_one_named(side: str) -> None:
    a, b = pair()
    (a if side == "A" else b).expected = Expected(lane=7)
    first, second = a.connect(), b.accept()
    meet(first, second)
    error = (first if side == "A" else second).error
    assert isinstance(error, errors.OtherLane)
    assert "lane 2, not 7" in str(error) or "lane 1, not 7" in str(error)


@pytest.mark.parametrize("side", ["A", "B"])
def test_another_static_key_than_the_pinned_one(side: str) -> None:
    a, b = pair()
    a.expected, b.expected = Expected(2, b.public), Expected(1, a.public)
    assert_linked(*linked(a, b))
    (b if side == "A" else a).static = X25519PrivateKey.generate()
    first, second = a.connect(), b.accept()
    meet(first, second)
    assert isinstance((first if side == "A" else second).error, errors.PinnedKeyDiffers)
    assert not second.result


def test_a_gateway_that_reaches_its_own_unit_or_itself() -> None:
    a, b = pair()
    b.lane = 1
    first, second = a.connect(), b.accept()
    meet(first, second)
    assert isinstance(second.error, errors.Reflected)
    a, b = pair()
    b.process = a.process
    first, second = a.connect(), b.accept()
    meet(first, second)
    assert isinstance(first.error, errors.Reflected)
    a, b = pair()
    b.static = a.static
    first, second = a.connect(), b.accept()
    meet(first, second)
    assert isinstance(first.error, errors.Reflected)


def test_order_of_b() -> None:
    """Sizes, door, bucket, unit, lane, Noise: what is refused costs nothing of what comes later."""
    a, b = pair()
    b.admits = lambda _: False
    first, second = a.connect(), b.accept()
    meet(first, second)
    assert isinstance(second.error, errors.TooMany)
    assert [type(step) for step in b.steps] == [Doors, Admit]
    b.admits, b.expected = lambda _: True, Expected(lane=7)
    b.steps.clear()
    first, second = a.connect(), b.accept()
    meet(first, second)
    assert isinstance(second.error, errors.OtherLane)
    assert [type(step) for step in b.steps] == [Doors, Admit, Open]
    b.steps.clear()
    second = b.accept()
    second.run()
    second.inbox += b"\x01" + bytes(45) + b"\xff\xff"
    second.run()
    assert isinstance(second.error, errors.Garbage)
    assert not b.steps


@pytest.mark.parametrize("hello", [b"SSH-2.0-OpenSSH_9.2p1", b"NDKT\x03" + bytes(16), b"NDKT\x01" + bytes(16)])
def test_what_answers_a_is_no_gateway_or_of_another_version(hello: bytes) -> None:
    a, _ = pair()
    end = a.connect()
    end.inbox += hello[:HELLO_SIZE]
    end.run()
    assert isinstance(end.error, errors.OtherVersion if hello.startswith(b"NDKT") else errors.Garbage)
    assert not a.asked(Seal)


UNTOLD = Closed, errors.NoDoor, errors.Garbage, errors.UnknownResumption  # which B counts, as anybody can cause them


class Flip:
    """A wire that alters one byte, counted over all that passes."""

    def __init__(self, position: int) -> None:
        self.left = position

    def __call__(self, data: bytes) -> bytes:
        position, self.left = self.left, self.left - len(data)
        if not 0 <= position < len(data):
            return data
        return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


@pytest.mark.parametrize(("is_resumed", "to_a", "to_b"), [(True, 21 + 71, 87), (False, 21 + 164, 132 + 86)])
def test_any_altered_byte_ends_it(is_resumed: bool, to_a: int, to_b: int) -> None:
    a, b = pair()
    ours, theirs = linked(a, b)
    b.resumables = {theirs.resumable.id: theirs.resumable}
    for position in range(to_a + to_b):
        first, second = a.connect(ours.resumable if is_resumed else None), b.accept()
        flip = Flip(position if position < to_a else position - to_a)
        meet(first, second, *((bytes, flip) if position < to_a else (flip, bytes)))
        assert flip.left < 0
        assert not (first.result and second.result)
        for error in (first.error, second.error):
            assert error is None or isinstance(error, UNTOLD) or errors.is_unproven(error)


def test_random_bytes_for_either_end() -> None:
    rng = random.Random(7)
    a, b = pair()
    for _ in range(400):
        end: End = rng.choice((a, b)).accept() if rng.random() < 0.5 else a.connect()
        data = bytearray(rng.randbytes(rng.randrange(400)))
        if end.gateway.steps or rng.random() < 0.8:
            data[:0] = rng.choice((b"\x01", b"\x02", b"\x03", b"\x04", b"NDKT\x02", b"NDKT\x02" + bytes(16) + b"\x03"))
        end.inbox += data
        end.run()
        end.close()
        assert isinstance(end.error, errors.HandshakeError | Closed)


def test_a_large_claim_of_bundles_is_refused() -> None:
    a, _ = pair()
    end = a.connect()
    end.inbox += b"NDKT\x02" + bytes(16) + b"\x03" + (bundles.MAX_BUNDLES + 1).to_bytes(4, "big")
    end.run()
    assert isinstance(end.error, errors.Garbage)


def test_bundles_as_bytes() -> None:
    news = [(7, b""), (8, b"eight"), (65535, bytes(1000))]
    assert bundles.unpack(bundles.pack(news)) == tuple(news)
    assert bundles.unpack(bundles.pack([])) == ()
    for size in range(1, len(bundles.pack(news))):
        try:
            bundles.unpack(bundles.pack(news)[:size])
        except errors.Garbage:
            continue
        assert size in (6, 17)  # the end of a bundle
    large = [(number, bytes(5 << 20)) for number in range(5)]
    assert [generation for generation, _ in bundles.unpack(bundles.pack(large))] == [2, 3, 4]


def test_many_forged_bundles_are_refused() -> None:
    assert len(bundles.unpack(bytes(6 * 64))) == 64
    with pytest.raises(errors.Garbage):
        bundles.unpack(bytes(6 * 65))


def test_no_secret_is_shown() -> None:
    a, b = pair()
    ours, theirs = linked(a, b)
    assert ours.pair
    shown = repr((ours, theirs, a.identity, ours.resumable, a.doors, a.steps, b.steps, pair_door(ours.pair, "x")))
    secrets = [ours.send_key, ours.receive_key, ours.udp_send, ours.udp_receive, ours.pair, ours.resumable.key]
    for secret in [*secrets, *(door.key for door in a.doors), a.static.private_bytes_raw()]:
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def test_a_process_that_began_again_is_told_by_a_resumed_link() -> None:
    a, b = pair()
    ours, theirs = linked(a, b)
    b.resumables = {theirs.resumable.id: theirs.resumable}
    a.process = bytes(16)
    ours, theirs = linked(a, b, ours.resumable)
    assert theirs.peer.process == bytes(16)


def test_a_resumption_with_another_key_is_refused() -> None:
    a, b = pair()
    ours, theirs = linked(a, b)
    b.resumables = {theirs.resumable.id: theirs.resumable}
    wrong = Resumable(ours.resumable.id, bytes(32), ours.peer)
    first, second = a.connect(wrong), b.accept()
    meet(first, second)
    assert isinstance(second.error, errors.Forged)


def test_names_are_apart() -> None:
    a, b = pair()
    other = Gateway(b.network, 2, name="offic")
    first, second = a.connect(), other.accept()
    meet(first, second)
    assert isinstance(second.error, errors.NoDoor)
