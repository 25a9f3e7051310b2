# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An administrator's host on the channel: it repeats what nobody heard, and answers asks (PROTOCOL.md section 13)."""

from support.agents import administrator, joined

from ndks.network.administrator_host import AdministratorHost
from ndks.network.bundle import Bundle, pack_ask


def test_a_new_bundle_is_repeated_every_64_ticks_until_a_capsule_of_it_is_heard() -> None:
    admin = administrator()
    (member,) = joined(admin, 1)
    host = AdministratorHost(admin)
    first, second = admin.issue(), admin.issue()
    at = {tick: packets for tick in range(1, 150) if (packets := host.tick(1))}
    assert at == {key: [bundle.content for bundle in (*admin.later(-1)[:1], first, second)] for key in (1, 65, 129)}
    assert host.receive(member.unit.seal(3, bytes(8))[0]) == []  # of generation 0
    assert not host.is_heard
    member.receive(first.content, second.content)
    host.receive(member.unit.seal(3, bytes(8))[0])
    assert host.is_heard
    assert [host.tick(64) for _ in range(3)] == [[], [], []]
    third = admin.issue()
    assert host.tick(1) == [third.content]


def test_answers() -> None:
    admin = administrator()
    (member,) = joined(admin, 1)
    bundles = [admin.issue() for _ in range(2)]
    for bundle in bundles:
        member.receive(bundle.content)
    host = AdministratorHost(admin)
    host.receive(member.unit.seal(3, bytes(8))[0])
    assert host.receive(pack_ask(0)) == [bundle.content for bundle in bundles]
    assert host.receive(pack_ask(0)) == []
    host.tick(32)
    assert host.receive(pack_ask(4)) == [bundles[1].content]
    host.tick(32)
    assert host.receive(pack_ask(8)) == []
    assert host.receive(b"\x3f") == host.receive(b"") == host.receive(b"\x01short") == []
    assert len(host.receive(pack_ask(-1))) == 3


def test_what_another_made_is_not_repeated_and_a_merge_is() -> None:
    first, second = administrator(), administrator(1)
    joined(first, 2)
    host = AdministratorHost(second)
    host.receive(first.later(-1)[0].content)
    assert not host.is_heard  # an administrator sent it, and no member
    assert host.tick(64) == []
    second.issue()
    first.revoke([4])
    foreign = first.issue()
    host.receive(foreign.content)
    (published,) = [Bundle.parse(packet).g for packet in host.tick(1)][-1:]
    assert published == second.state.g == 5


def test_after_a_start_the_newest_is_repeated() -> None:
    admin = administrator()
    joined(admin, 1)
    admin.issue()
    assert AdministratorHost(admin).tick(1) == [admin.state.bundles[-1].content]
    assert AdministratorHost(administrator()).tick(1) == []


def test_administrators_who_start_together_publish_one_copy() -> None:
    first = administrator()
    joined(first, 1)
    bundle = first.issue().content
    files = [first, *(administrator(number) for number in range(1, 4))]
    for other in files[1:]:
        other.on_bundle(bundle)
    hosts = [AdministratorHost(file) for file in files]
    published = list[tuple[int, int]]()
    for tick in range(1, 60):
        for number, host in enumerate(hosts):
            for packet in host.tick(1):
                published.append((tick, number))
                for other in hosts:
                    other.notice(packet)
    assert published == [(1, 0)]


def test_what_others_repeat_holds_up_nobody_after_the_start() -> None:
    admin = administrator()
    joined(admin, 1)
    bundle = admin.issue()
    host = AdministratorHost(admin)
    host.notice(b"B\x01")
    assert host.tick(1) == [bundle.content]
    for _ in range(63):
        host.notice(bundle.content)
        assert host.tick(1) == []
    assert host.tick(1) == [bundle.content]
