# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What agents keep, forget and report after a generation, also after a crash (section 12)."""

import pytest
from host.generations import bundles_in, network, say
from support.agents import talk

from ndks.agent import Limits
from ndks.agent.events import Delivered, Lost, Why
from ndks.agent.inbox import Known
from ndks.agent.packets import Report, Voucher, digest_of
from ndks.network.bundle import pack_ask
from ndks_protocol.wire import HOUSEKEEPING


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
    assert (inbox.first, inbox.reported, inbox.starts, inbox.waiting) == (1, 0, (), set())
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
    assert (inbox.first, inbox.reported, inbox.top, inbox.starts, inbox.waiting) == (1, 0, 0, (), set())
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
