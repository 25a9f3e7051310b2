# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an agent takes is bounded, whoever sends and whether a program receives or not; nothing accepted is lost."""

import struct
import time

from support.agents import Host, administrator, joined, talk

from ndks.agent import Limits
from ndks.agent.events import Lost, Room, Why
from ndks.agent.inbox import Known
from ndks.agent.packets import Report
from ndks.agent.store import ROW
from ndks_protocol.wire import HOUSEKEEPING, MESSAGE

_FIVE = Limits(arrived_bytes=5 * (ROW + 1))


def pair(limits: Limits) -> list[Host]:
    return joined(administrator(), 2, limits)


def take_all(host: Host) -> None:
    """Let a program take what has arrived."""
    with host.store.step():
        for place, _ in host.agent.arrivals.after(0, 1000):
            host.agent.arrivals.taken(place)


def rooms(host: Host) -> list[bool]:
    return [event.is_there for event in host.events if isinstance(event, Room)]


def test_what_no_program_receives_stays_at_its_sender() -> None:
    sender, receiver = pair(_FIVE)
    for number in range(20):
        receiver.receive(*sender.send(b"%d" % (number % 10)))
        talk([sender, receiver], 40)
    assert [s for _, s, _ in receiver.delivered] == [1, 2, 3, 4, 5]
    assert list(receiver.agent.missing(4)) == [(6, 20)]
    assert receiver.agent.arrivals.size == 5 * (ROW + 1)
    assert rooms(receiver) == [False]
    for _ in range(10):
        take_all(receiver)
        talk([sender, receiver], 300)
    assert [s for _, s, _ in receiver.delivered] == list(range(1, 21))
    assert not receiver.lost
    assert rooms(receiver)[:2] == [False, True]


def test_while_there_is_no_room_nothing_is_asked_for_and_own_messages_go() -> None:
    sender, receiver = pair(_FIVE)
    for _ in range(8):
        receiver.receive(*sender.send(b"x"))
    size = receiver.store.read("SELECT count(*) FROM arrivals")
    assert not [packet for packet in receiver.ticks(200) if sender.receive(packet)]
    sender.receive(*receiver.send(b"an answer"))
    assert sender.delivered == [(8, 1, b"an answer")]
    assert receiver.store.read("SELECT count(*) FROM arrivals") == size


def test_what_its_sender_keeps_no_longer_is_named_lost_once_there_is_room() -> None:
    sender, receiver = joined(administrator(), 2, Limits(arrived_bytes=5 * (ROW + 1), keep=4))
    for _ in range(20):
        receiver.receive(*sender.send(b"x"))
    talk([sender, receiver], 300)
    assert not receiver.lost
    take_all(receiver)
    talk([sender, receiver], 300)
    assert receiver.lost == [Lost(4, 6, 16, Why.NOT_KEPT)]
    assert [s for _, s, _ in receiver.delivered] == [1, 2, 3, 4, 5, 17, 18, 19, 20]


def test_reports_of_a_hostile_member_fill_nothing() -> None:
    sender, receiver = pair(_FIVE)
    for number in range(1, 400, 2):
        for body in (Report(number + 1, number, ()), Report(number + 2, number + 1, ())):
            receiver.receive(sender.unit.seal(HOUSEKEEPING, body.packed())[0])
        receiver.receive(sender.unit.seal(MESSAGE, (number + 1).to_bytes(6) + b"\0x")[0])
    assert receiver.agent.arrivals.size <= 6 * (ROW + 1)


def test_generations_go_on_while_there_is_no_room() -> None:
    admin = administrator()
    sender, receiver = joined(admin, 2, _FIVE)
    for _ in range(9):
        receiver.receive(*sender.send(b"x"))
    bundle = admin.issue()
    for host in (sender, receiver):
        host.receive(bundle.content)
        assert host.agent.epoch == bundle.g << 16


def test_messages_that_wait_for_earlier_ones_are_bounded_in_bytes() -> None:
    sender, receiver = pair(Limits(waiting_bytes=3 * (ROW + 100)))
    capsules = [packet for number in range(8) for packet in sender.send(bytes([number]) * 100)]
    receiver.receive(*capsules[1:])
    assert sorted(receiver.agent.inbox(4).waiting) == [2, 3, 4]
    talk([sender, receiver], 300)
    assert [s for _, s, _ in receiver.delivered] == list(range(1, 9))


def test_a_member_that_makes_gaps_does_not_slow_its_receivers() -> None:
    """Twenty thousand numbers between as many of given-up epochs: the next message takes no longer."""
    sender, receiver = pair(Limits())
    count = 20_000
    with receiver.store.step():
        values = "SELECT value * 2, value * 2 FROM seq"
        seq = f"WITH RECURSIVE seq(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM seq WHERE value < {count})"
        receiver.store.write("INSERT INTO senders VALUES (4, 1, ?, 0, ?)", 2 * count, struct.pack(">HQ", 0, 1))
        receiver.store.write(f"{seq} INSERT INTO spans SELECT 4, 0, * FROM ({values})")
        for kind in (Known.UNREADABLE, Known.LOST, Known.EPOCH):
            lost = values.replace("value * 2", "value * 2 - 1")
            receiver.store.write(f"{seq} INSERT INTO spans SELECT 4, {kind}, * FROM ({lost})")
    receiver.start()
    first = 2 * count + 1
    receiver.receive(sender.unit.seal(MESSAGE, first.to_bytes(6) + b"\0x")[0])
    began = time.process_time()
    for s in range(first + 1, first + 21):
        receiver.receive(sender.unit.seal(MESSAGE, s.to_bytes(6) + b"\0x")[0])
    assert receiver.delivered[-1][1] == first + 20
    assert time.process_time() - began < 1.0


def test_a_lane_with_gaps_without_end_gives_nothing_early() -> None:
    sender, receiver = pair(Limits())
    receiver.receive(sender.unit.seal(MESSAGE, (9).to_bytes(6) + b"\0x")[0])
    assert [message.s for message in receiver.agent.arrivals.early(5, set())] == [9]
    with receiver.store.step():
        for number in range(1000):
            receiver.store.write("INSERT INTO spans VALUES (4, 0, ?, ?)", 11 + 2 * number, 11 + 2 * number)
    assert receiver.agent.arrivals.early(5, set()) == []
