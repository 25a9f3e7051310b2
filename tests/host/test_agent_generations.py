# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agents enter generations: in their order, with the right signature, and whatever the unit answers (section 12)."""

import itertools
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from host.generations import asks_in, bundles_in, network, say
from support.agents import Host, unit_of

from ndks.agent import Limits
from ndks.agent.events import Delivered, Entered, Lost, Master, Refused, Why
from ndks.agent.packets import Report
from ndks.exceptions import DeviceError, UnitRemoved, device_error
from ndks.network.bundle import Bundle, pack_ask
from ndks_protocol import errors
from ndks_protocol.wire import MONITOR


def forged(bundle: Bundle, **changes: object) -> bytes:
    other = replace(bundle, **changes)
    notices = list(other.notices)
    return Bundle.signed(Ed25519PrivateKey.generate(), other.g, other.previous, notices, other.record).content


def test_a_bundle_with_the_own_hint_is_entered_and_kept() -> None:
    admin, (host, _) = network()
    bundle = admin.issue()
    host.receive(bundle.content, bundle.content)
    assert host.events == [Entered(0), Entered(4)]
    assert host.unit.noticed == [0, 4]
    host.receive(pack_ask(-1))
    assert bundles_in(host.ticks(33)) == [0, 4]


def test_bundles_without_the_right_signature_are_dropped() -> None:
    admin, (host, _) = network()
    bundle = admin.issue()
    altered = bytearray(bundle.content)
    altered[20] ^= 1
    host.receive(forged(bundle), forged(bundle, g=9), bytes(altered), bundle.content[:-1], b"\x42\x01")
    assert host.unit.noticed == [0]
    assert host.ticks(15) == []
    assert Host(host.unit, bytes(32)).receive(bundle.content) == []


def test_of_equal_hints_both_are_tried() -> None:
    admin, (host, other) = network()
    bundle = admin.issue()
    hint = host.unit.hint(bundle.g)
    notices = [(hint, notice) for _, notice in bundle.notices[::-1]]
    both = Bundle.signed(admin.keys.signing, bundle.g, bundle.previous, notices, bundle.record)
    host.receive(both.content)
    assert host.unit.noticed == [0, 4]
    assert bundles_in(other.receive(both.content)) == [0]  # it has none there


def test_a_wrong_notice_is_refused_once() -> None:
    admin, (host, _) = network()
    bundle = admin.issue()
    wrong = [(host.unit.hint(4), bundle.notices[1][1])]
    spoiled = Bundle.signed(admin.keys.signing, 4, 0, wrong, b"")
    host.receive(spoiled.content, spoiled.content)
    assert host.events[1:] == [Refused(4, errors.HEADER)]
    host.receive(bundle.content)
    assert host.unit.noticed == [0, 4]


def test_bundles_are_entered_in_order_and_a_missing_one_is_waited_for() -> None:
    admin, (host, other) = network()
    first, second = admin.issue(), admin.issue()
    host.receive(second.content)
    assert host.unit.noticed == [0]
    asked = asks_in(host.ticks(40))
    assert asked == [pack_ask(0)] * 3
    host.receive(first.content)
    assert host.unit.noticed == [0, 4, 8]
    other.receive(second.content)
    other.ticks(255)
    assert other.unit.noticed == [0]
    other.ticks(2)
    assert other.unit.noticed == [0, 8]


def test_who_slept_has_waited_for_nothing() -> None:
    admin, (host, _) = network()
    admin.issue()
    host.receive(admin.issue().content)
    host.tick(3000)
    assert host.unit.noticed == [0]


def test_messages_of_a_generation_that_was_passed_over_are_lost() -> None:
    admin, (host, sender) = network()
    first, second = admin.issue(), admin.issue()
    sender.receive(first.content)
    (late,) = sender.send(b"a")
    sender.receive(second.content)
    host.receive(late, second.content)
    host.ticks(257)
    host.receive(*sender.send(b"b"), say(sender, Report(1, 2, ((4, 1), (8, 2)))))
    assert host.events[-2:] == [Lost(8, 1, 1, Why.GENERATION), Delivered(8, 2, 0, b"b")]


def test_a_newcomer_has_nothing_older_and_waits_for_nothing() -> None:
    admin, (sender, other) = network()
    sender.send(b"before")
    lane = admin.admit("0000000000000099")
    bundle = admin.issue()
    newcomer = Host(unit_of(admin, lane), admin.keys.public)
    assert asks_in(newcomer.ticks(17)) == [pack_ask(-1)] * 2
    newcomer.receive(b"\x01" + bytes(100))
    for host in (sender, other, newcomer):
        host.receive(bundle.content)
    newcomer.receive(*sender.send(b"after"), *sender.ticks(4))
    assert newcomer.delivered == [(4, 2, b"after")]
    assert newcomer.lost == [Lost(4, 1, 1, Why.GENERATION)]


def test_messages_of_a_host_without_a_generation_wait_for_it() -> None:
    admin, (other, _) = network()
    lane = admin.admit("0000000000000099")
    bundle = admin.issue()
    newcomer = Host(unit_of(admin, lane), admin.keys.public)
    assert newcomer.send(b"a") == []
    other.receive(bundle.content)
    other.receive(*newcomer.receive(bundle.content))
    assert other.delivered == [(lane, 1, b"a")]


def test_a_capsule_of_an_unknown_generation_makes_the_host_ask_every_16_ticks_at_most() -> None:
    _, (host, _) = network()
    at = []
    for tick in range(1, 40):
        host.receive(b"\x01" + bytes(100))
        at += [tick] * len(asks_in(host.tick()))
    assert at == [1, 17, 33]
    host.unit.set_role(MONITOR)
    host.tick()
    host.receive(b"\x01" + bytes(100))
    assert host.ticks(40) == []


def test_a_failure_of_the_unit_leaves_the_candidate() -> None:
    admin, (host, _) = network()
    bundle = admin.issue()
    notice = host.unit.notice

    def broken(g: int, capsule: bytes) -> int:
        raise device_error(errors.STORAGE)

    host.unit.notice = broken  # type: ignore[method-assign]
    with pytest.raises(DeviceError):
        host.receive(bundle.content)
    host.unit.notice = notice  # type: ignore[method-assign]
    host.start()
    host.tick()
    assert host.unit.noticed == [0, 4]


def test_a_unit_that_entered_although_its_answer_was_lost() -> None:
    admin, (host, other) = network()
    host.send(b"a")
    host.ticks(900)
    bundle = admin.issue()
    notice = host.unit.notice

    def unplugged(g: int, capsule: bytes) -> int:
        notice(g, capsule)
        raise UnitRemoved("unplugged")

    host.unit.notice = unplugged  # type: ignore[method-assign]
    with pytest.raises(UnitRemoved):
        host.receive(bundle.content)
    other.receive(bundle.content)
    host.agent.reopen(host.unit)
    assert host.agent.missing(8).top == 0
    other.receive(*host.ticks(16))
    assert other.agent.inbox(4).starts == ((0, 1),)
    host.receive(pack_ask(0))
    assert bundles_in(host.ticks(40)) == [4]


def test_a_unit_that_went_back_gets_the_bundles_that_its_host_keeps() -> None:
    admin, (host, _) = network()
    bundles = [admin.issue() for _ in range(2)]
    old = unit_of(admin, host.unit.lane)
    old.notice(0, admin.later(-1)[0].notices_for(old.hint(0))[0])
    host.receive(*(bundle.content for bundle in bundles))
    host.unit = old
    host.agent.reopen(old)
    host.tick()
    assert old.noticed == [0, 4, 8]


def test_seven_bundles_are_kept() -> None:
    admin, (host, _) = network()
    for _ in range(9):
        host.receive(admin.issue().content)
    host.start()
    host.receive(pack_ask(-1))
    assert bundles_in(host.ticks(40)) == list(range(12, 40, 4))


def test_candidates_are_bounded() -> None:
    admin, (host, _) = network(limits=Limits(candidates=3))
    admin.issue()
    for _ in range(5):
        host.receive(admin.issue().content)
    assert host.store.read("SELECT g FROM bundles WHERE NOT is_kept ORDER BY g") == [(16,), (20,), (24,)]


def test_whoever_leads_is_told() -> None:
    _, (master, slave) = network()
    master.unit.lead()
    slave.receive(*master.tick())
    slave.tick()
    assert master.events[-1] == slave.events[-1] == Master(4)
    assert slave.receive(b"") == []


def test_all_events_and_packets_come_once() -> None:
    admin, hosts = network(3)
    for _ in range(3):
        bundle = admin.issue()
        for host in hosts:
            host.receive(bundle.content)
    entered = [event.g for event in hosts[0].events if isinstance(event, Entered)]
    assert list(itertools.pairwise(entered)) == [(0, 4), (4, 8), (8, 12)]
