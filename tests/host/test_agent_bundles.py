# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bundles that agents show to others: who answers, who repeats, and who is shown what (section 12)."""

import pytest
from host.generations import bundles_in, network
from support.agents import administrator, joined

from ndks.agent.events import LeftOut, Refused
from ndks.network.bundle import pack_ask
from ndks_protocol import errors


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
