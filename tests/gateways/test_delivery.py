# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Nothing that counts is lost, repeated or reordered, whatever becomes of the links: by model, and case by case."""

import pytest

from ndks_gateways.tunnel import frames
from ndks_gateways.tunnel.delivery import MOST_KEPT, Attached, Delivery, DeliveryError, Disagreement
from ndks_gateways.tunnel.frames import frame, parse

from .links_world import World

HISTORIES = 400


@pytest.mark.parametrize("crashes", [False, True])
def test_random_histories(crashes: bool):
    resent = taken = resets = disagreements = late = 0
    for seed in range(HISTORIES):
        world = World(seed, crashes)
        world.run(300)
        resent += sum(end.delivery.kept.resent for end in world.ends)
        world.settle()
        a, b = world.ends
        for sender, receiver in ((a, b), (b, a)):
            assert receiver.taken == sender.counted == receiver.delivery.received, seed
            assert sender.delivery.kept_bytes == sender.delivery.unsent_bytes == 0
            taken += receiver.taken
            resets += receiver.resets
        disagreements += world.disagreements
        late += world.late
    assert min(resent, taken) > HISTORIES
    assert (resets > HISTORIES // 10) == crashes
    assert (disagreements > 0) == crashes
    assert late < HISTORIES // 100


class Ends:
    """Two ends, and links that deliver at once what the test lets them."""

    def __init__(self) -> None:
        self.a, self.b = Delivery(), Delivery()

    def attach(self) -> tuple[Attached, Attached]:
        return self.attach_a(), self.attach_b()

    def attach_a(self) -> Attached:
        return self.a.attach(self.a.process, self.b.process)

    def attach_b(self) -> Attached:
        return self.b.attach(self.b.process, self.a.process)


def data(number: int, size: int = 1) -> bytes:
    return frame(frames.DATA, 1, bytes([number]) * size)


def sent(link: Attached) -> list[bytes]:
    return list(iter(link.next, None))


def flow(source: Attached, target: Attached) -> list[bytes]:
    """Deliver all that source has to say; return what its peer has to act on."""
    return [content for content in sent(source) if target.receive(parse(content))]


def settle(a: Attached, b: Attached) -> tuple[list[bytes], list[bytes]]:
    to_a, to_b = list[bytes](), list[bytes]()
    while (moved := (flow(a, b), sent(b))) != ([], []):
        to_b += moved[0]
        to_a += [content for content in moved[1] if a.receive(parse(content))]
        if not any(moved[1]):
            break
    return to_a, to_b


@pytest.fixture
def ends() -> Ends:
    return Ends()


def test_a_link_begins_with_an_ack_each_way(ends: Ends):
    ends.a.count(data(1))
    a, b = ends.attach()
    assert sent(a) == [frames.ack(0)]
    assert not a.is_ready
    assert flow(b, a) == []
    assert a.is_ready
    assert sent(a) == [data(1)]
    assert ends.a.kept_bytes > 0
    assert ends.a.unsent_bytes == 0


def test_an_ack_comes_after_16_frames_or_1_mb_or_when_asked_for(ends: Ends):
    a, b = ends.attach()
    flow(a, b)
    flow(b, a)
    for size, number in ((1, 16), (1 << 16, 16)):
        for _ in range(number):
            assert sent(b) == []
            ends.a.count(data(1, size))
            flow(a, b)
        assert sent(b) == [frames.ack(ends.b.received)]
    ends.b.acknowledge()
    assert sent(b) == []  # none is owed
    ends.a.count(data(1))
    flow(a, b)
    ends.b.acknowledge()
    assert flow(b, a) == []
    assert a.receive(parse(frames.ack(33))) is False
    assert ends.a.kept_bytes == 0


def test_a_rekey_ends_the_old_link_each_way_and_sends_nothing_again(ends: Ends):
    a, b = ends.attach()
    settle(a, b)
    ends.a.count(data(1))
    on_its_way = sent(a)
    a2 = ends.attach_a()
    ends.a.count(data(2))
    assert sent(a) == [frame(frames.END)]
    assert sent(a2) == []  # the old link is still read
    b2 = ends.attach_b()
    assert sent(b2) == []
    assert sent(b) == [frame(frames.END)]
    assert [b.receive(parse(content)) for content in on_its_way] == [True]
    b.receive(parse(frame(frames.END)))
    assert b.is_over
    assert sent(b2) == [frames.ack(1)]
    assert not a.is_over
    a.receive(parse(frame(frames.END)))
    assert a.is_over
    assert flow(a2, b2) == []
    a2.receive(parse(frames.ack(1)))
    assert flow(a2, b2) == [data(2)]
    assert ends.a.kept.resent == 0


def test_an_old_link_that_hangs_is_cut_and_what_it_did_not_deliver_is_sent_again(ends: Ends):
    a, b = ends.attach()
    settle(a, b)
    ends.a.count(data(1))
    ends.a.count(data(2))
    first, _lost = sent(a)
    b.receive(parse(first))
    a2, b2 = ends.attach()
    assert sent(b2) == []
    b.cut()
    a.cut()
    assert settle(a2, b2)[1] == [data(2)]
    assert ends.a.kept.resent == 1


def test_a_handshake_that_is_done_at_b_only(ends: Ends):
    """B has ended the old link; A ends it too, and makes another."""
    a, b = ends.attach()
    settle(a, b)
    half = ends.attach_b()
    assert flow(b, a) == []
    assert ends.a.newest is None
    ends.a.count(data(1))
    assert flow(a, b) == []  # END
    assert a.is_over
    assert b.is_over
    half.cut()
    assert settle(*ends.attach())[1] == [data(1)]


def test_a_handshake_that_is_done_at_a_only(ends: Ends):
    a, b = ends.attach()
    settle(a, b)
    ends.attach_a().cut()
    assert flow(a, b) == []
    assert ends.b.newest is None
    ends.b.count(data(1))
    assert flow(b, a) == []
    assert a.is_over
    assert settle(*ends.attach())[0] == [data(1)]


def test_a_link_that_dies_before_its_first_ack(ends: Ends):
    ends.a.count(data(1))
    for _ in range(3):
        for link in ends.attach():
            sent(link)
            link.cut()
    assert settle(*ends.attach())[1] == [data(1)]


def test_two_links_in_quick_succession(ends: Ends):
    a, b = ends.attach()
    settle(a, b)
    ends.a.count(data(1))
    a2, b2 = ends.attach()
    a3, b3 = ends.attach()
    for old, other in ((a, b), (a2, b2)):
        assert sent(old) == sent(other) == [frame(frames.END)]
        old.receive(parse(frame(frames.END)))
        other.receive(parse(frame(frames.END)))
        assert old.is_over
    assert settle(a3, b3)[1] == [data(1)]


def test_ends_that_take_two_links_in_another_order_make_a_third(ends: Ends):
    ends.a.count(data(1))
    a1, a2 = ends.attach_a(), ends.attach_a()
    b2, b1 = ends.attach_b(), ends.attach_b()
    for a, b in ((a1, b1), (a2, b2), (a1, b1), (a2, b2)):
        settle(a, b)
    assert ends.a.newest is ends.b.newest is None
    assert settle(*ends.attach())[1] == [data(1)]


def test_an_ack_of_the_old_link_that_comes_late(ends: Ends):
    a, b = ends.attach()
    settle(a, b)
    for i in range(3):
        ends.a.count(data(i))
    flow(a, b)
    ends.b.acknowledge()
    late = sent(b)
    a2 = ends.attach_a()
    a2.receive(parse(frames.ack(3)))
    assert [a.receive(parse(content)) for content in late] == [False]
    assert ends.a.kept_bytes == 0


def test_another_process_begins_from_0(ends: Ends):
    a, b = ends.attach()
    settle(a, b)
    ends.a.count(data(1))
    ends.b.count(data(2))
    settle(a, b)
    ends.b.count(data(3))
    ends.a = Delivery()
    ends.a.count(data(4))  # before it has a peer
    a, b2 = ends.attach()
    assert b2.is_reset
    assert not a.is_reset
    assert b.is_over
    assert b.receive(parse(data(1))) is False
    assert b.next() is None
    assert settle(a, b2) == ([], [data(4)])
    assert (ends.b.received, ends.b.kept_bytes) == (1, 0)


def test_a_process_that_was_replaced_and_comes_back(ends: Ends):
    first = ends.b
    settle(*ends.attach())
    ends.b = Delivery()
    assert ends.attach()[0].is_reset
    second, ends.b = ends.b, first
    with pytest.raises(Disagreement):
        ends.attach_a()
    before = ends.a.process
    ends.a.begin_again()
    assert ends.a.process != before
    ends.a.count(data(1))
    a, b = ends.attach()
    assert b.is_reset
    assert settle(a, b)[1] == [data(1)]
    assert second.newest is not None


def test_a_handshake_from_before_this_end_began_again(ends: Ends):
    before = ends.a.process
    ends.a.begin_again()
    with pytest.raises(DeliveryError):
        ends.a.attach(before, ends.b.process)


def test_an_ack_of_frames_that_were_never_sent(ends: Ends):
    a, b = ends.attach()
    ends.a.count(data(1))
    settle(a, b)
    ends.a.count(data(2))
    with pytest.raises(Disagreement):
        a.receive(parse(frames.ack(2)))


def test_a_handshake_that_ends_late_at_one_end(ends: Ends):
    """B takes the former link for the newest; the ACK that A said on it is of before."""
    a1 = ends.attach_a()
    on_the_former = sent(a1)
    a2, b2 = ends.attach()
    ends.b.count(data(1))
    a1.cut()
    settle(a2, b2)
    ends.a.acknowledge()
    settle(a2, b2)
    assert ends.b.kept_bytes == 0
    b1 = ends.attach_b()
    with pytest.raises(DeliveryError) as raised:
        b1.receive(parse(on_the_former[0]))
    assert not isinstance(raised.value, Disagreement)
    b1.cut()
    ends.b.count(data(2))
    settle(a2, b2)
    assert settle(*ends.attach())[0] == [data(2)]


def test_what_counts_before_its_number_is_known_and_what_comes_after_end(ends: Ends):
    a, _ = ends.attach()
    with pytest.raises(DeliveryError):
        a.receive(parse(data(1)))
    a.receive(parse(frame(frames.PING)))
    assert a.receive(parse(frame(frames.CARRY, 0, b"x"))) is True
    a.receive(parse(frame(frames.END)))
    for late in (data(1), frame(frames.PING), frame(frames.END), frames.ack(0)):
        with pytest.raises(DeliveryError):
            a.receive(parse(late))


def test_end_is_the_last_frame(ends: Ends):
    a, _ = ends.attach()
    ends.a.count(data(1))
    assert a.may_talk
    ends.attach_a()
    assert sent(a) == [frame(frames.END)]
    assert not a.may_talk
    assert not a.is_over


def test_full_at_16_mb(ends: Ends):
    a, b = ends.attach()
    settle(a, b)
    while not ends.a.is_full:
        ends.a.count(data(1, 1 << 16))
    assert MOST_KEPT <= ends.a.kept_bytes < MOST_KEPT + (1 << 17)
    settle(a, b)
    assert not ends.a.is_full


def test_small_frames_fill_it_with_the_memory_that_they_take():
    delivery, number = Delivery(), 0
    while not delivery.is_full:
        delivery.count(frame(frames.FIN, 1))
        number += 1
    assert number < 400_000
