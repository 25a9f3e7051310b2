# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agents and generations: bundles for the own unit and for others, asks, and what a revocation undoes (section 12)."""

import itertools
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.agents import Host, administrator, joined, talk, unit_of

from ndks.agent import Limits
from ndks.agent.events import Delivered, Entered, LeftOut, Lost, Master, Refused, Why
from ndks.agent.inbox import Known
from ndks.agent.packets import Ask, Report, Voucher, digest_of
from ndks.exceptions import DeviceError, UnitRemoved, device_error
from ndks.network.administrator import Administrator
from ndks.network.bundle import Bundle, pack_ask
from ndks_protocol import errors
from ndks_protocol.wire import HOUSEKEEPING, MONITOR


def network(count: int = 2, limits: Limits | None = None) -> tuple[Administrator, list[Host]]:
    admin = administrator()
    return admin, joined(admin, count, limits)


def say(sender: Host, body: Report | Voucher | Ask) -> bytes:
    return sender.unit.seal(HOUSEKEEPING, body.packed())[0]


def bundles_in(packets: list[bytes]) -> list[int]:
    return [Bundle.parse(packet).g for packet in packets if packet[0] == 0x42]


def asks_in(packets: list[bytes]) -> list[bytes]:
    return [packet for packet in packets if packet[0] == 0x3F]


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


def test_the_masters_host_answers_at_once_and_others_unless_they_hear_the_first() -> None:
    admin, hosts = network(3)
    master, slow, silent = hosts
    bundles = [admin.issue() for _ in range(2)]
    for host in hosts:
        host.receive(*(bundle.content for bundle in bundles))
    master.unit.lead()
    master.ticks(40)
    for host in hosts:
        host.receive(pack_ask(0))
    answers = [packet for packet in master.tick() if packet[0] == 0x42]
    assert bundles_in(answers) == [4, 8]
    silent.receive(answers[1])  # not the first that is needed
    slow.receive(answers[0])
    assert bundles_in(slow.ticks(40)) == []
    assert bundles_in(silent.ticks(40)) == [4, 8]
    master.ticks(8)
    master.receive(pack_ask(0))
    assert bundles_in(master.ticks(3)) == []  # 32 ticks apart
    master.ticks(22)
    master.receive(pack_ask(4))
    assert bundles_in(master.tick()) == [8]
    master.receive(pack_ask(8))
    assert bundles_in(master.ticks(40)) == []


def test_who_is_behind_is_shown_the_bundle() -> None:
    admin, (behind, host) = network()
    behind.unit.lead()
    beacon = behind.tick()[0]
    bundle = admin.issue()
    host.receive(bundle.content)
    host.receive(beacon)
    behind.receive(*(packet for packet in host.ticks(40) if packet[0] == 0x42))
    assert behind.unit.noticed == [0, 4]


@pytest.mark.parametrize("retained", [False, True])
def test_the_masters_host_repeats_where_nothing_is_retained(retained: bool) -> None:
    _, (master, slave) = network()
    master.unit.lead()
    at = [tick for tick in range(1, 1200) if bundles_in(master.agent.tick(1, retained=retained).packets)]
    assert at == ([] if retained else [1, 513, 1025])
    assert bundles_in(slave.ticks(600)) == []


def test_a_copy_by_another_counts_as_published() -> None:
    admin, (master, _) = network()
    master.unit.lead()
    master.ticks(100)
    master.receive(*(bundle.content for bundle in admin.later(-1)))
    at = [tick for tick in range(1, 700) if bundles_in(master.tick())]
    assert at == [512]


def test_a_later_bundle_without_the_own_hint_shows_that_of_this_side() -> None:
    admin, (host, other) = network()
    admin.revoke([other.unit.lane])
    bundle = admin.issue()
    assert bundles_in(other.receive(bundle.content)) == [0]
    assert other.events[-1] == LeftOut(4)
    other.ticks(63)
    assert other.receive(bundle.content) == []
    other.ticks(1)
    assert bundles_in(other.receive(bundle.content)) == [0]
    assert host.receive(bundle.content) == []


def test_a_bundle_that_forgets_a_revocation_is_refused_and_the_own_one_shown() -> None:
    first, second = administrator(), administrator(1)
    hosts = joined(first, 3)
    second.on_bundle(first.later(-1)[0].content)
    first.revoke([hosts[2].unit.lane])
    revoking, forgetting = first.issue(), second.issue()
    while forgetting.g < revoking.g:
        forgetting = second.issue()
    host = hosts[0]
    host.receive(revoking.content)
    shown = host.receive(forgetting.content)
    assert host.events[-1] == Refused(forgetting.g, errors.ROSTER)
    assert bundles_in(shown) == [revoking.g]


def test_claims_are_forgotten_when_lanes_are_revoked_and_deliveries_are_not() -> None:
    admin, (host, sender, thief) = network(3)
    host.receive(*sender.send(b"a"))
    forged_report = thief.unit.seal(HOUSEKEEPING, Report(900, 999, ((0, 900),)).packed(), sender.unit.lane)[0]
    host.receive(forged_report)
    assert host.lost == [Lost(8, 2, 899, Why.NOT_KEPT)]
    (second,) = sender.send(b"b")
    (third,) = sender.send(b"c")
    host.receive(third, say(sender, Voucher(2, digest_of(second))))
    assert host.delivered == [(8, 1, b"a"), (8, 3, b"c")]
    admin.revoke([thief.unit.lane])
    bundle = admin.issue()
    for other in (host, sender):
        other.receive(bundle.content)
    inbox = host.agent.inbox(8)
    assert (inbox.first, inbox.reported, inbox.starts, inbox.waiting) == (1, 0, (), {})
    assert host.store.read("SELECT * FROM vouchers") == []
    host.receive(second)
    assert host.delivered[2:] == []  # of before the revocation, without a voucher
    talk([host, sender], 60)
    assert host.delivered[2:] == [(8, 2, b"b")]
    assert host.events[-1] == Delivered(8, 2, 0, b"b", late=True)


def test_what_was_forgotten_stays_so_after_a_crash() -> None:
    admin, (host, sender, _) = network(3)
    first, second, third = (packet for text in (b"a", b"b", b"c") for packet in sender.send(text))
    host.unit.here.number = host.unit.here.low = sender.unit.here.number = 3
    host.receive(say(sender, Report(1, 3, ((0, 1),))), say(sender, Voucher(1, digest_of(first))), first)
    sender.unit.here.number = host.unit.here.low = 0
    host.receive(third)
    assert host.agent.inbox(8).waiting
    admin.revoke([12])
    host.receive(admin.issue().content)
    host.start()
    inbox = host.agent.inbox(8)
    assert (inbox.first, inbox.reported, inbox.top, inbox.starts, inbox.waiting) == (1, 0, 0, (), {})
    assert not inbox.sets[Known.UNREADABLE]
    assert host.lost == [Lost(8, 1, 1, Why.EPOCH)]
    sender.receive(admin.state.bundles[-1].content)
    talk([host, sender], 60)
    assert [(event.s, event.late) for event in host.events if isinstance(event, Delivered)] == [
        (1, True),  # its epoch came back with an old image of the flash
        (2, False),
        (3, False),
    ]
    assert host.receive(second) == []


def test_a_report_says_where_generations_start_and_the_outbox_forgets_with_it() -> None:
    admin, (host, receiver) = network(limits=Limits(keep_generations=2))
    capsules = []
    for number in range(3):
        capsules += [*host.send(b"%d" % number), *host.send(b"more")]
        bundle = admin.issue()
        for other in (host, receiver):
            other.receive(bundle.content)
    (report,) = (packet for packet in host.ticks(16) if len(packet) == 83 + 2 * 8)
    receiver.receive(report)
    inbox = receiver.agent.inbox(4)
    assert (inbox.first, inbox.reported, inbox.starts) == (3, 6, ((4, 3), (8, 5)))
    assert receiver.lost == [Lost(4, 1, 2, Why.NOT_KEPT)]
    receiver.receive(*capsules[2:])
    assert [s for _, s, _ in receiver.delivered] == [3, 4, 5, 6]


def test_reports_come_within_16_ticks_after_a_new_generation() -> None:
    admin, (host, receiver) = network()
    receiver.receive(*host.send(b"a"))
    host.ticks(900)
    bundle = admin.issue()
    for other in (host, receiver):
        other.receive(bundle.content)
    reports = [tick for tick in range(1, 20) if any(packet[0] == 1 for packet in host.tick())]
    assert 1 <= reports[0] <= 16


def test_the_store_has_a_bundle_before_the_unit_and_keeps_it_after_a_crash() -> None:
    admin, (host, other) = network()
    bundle = admin.issue()

    def crash(place: str) -> None:
        if host.unit.noticed == [0, 4]:
            raise KeyboardInterrupt

    host.store.hook = crash
    with pytest.raises(KeyboardInterrupt):
        host.receive(bundle.content)
    host.store.hook = None
    host.start()
    host.receive(pack_ask(0))
    answers = host.ticks(40)
    assert bundles_in(answers) == [4]
    other.receive(*answers)
    assert other.unit.noticed == [0, 4]


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
