# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Administrators: lanes, generations, revocations, merges of what two of them did apart (PROTOCOL.md section 13)."""

import pytest
from support.agents import NETWORK, ROOT, Host, administrator, joined, talk, unit_of

from ndks.exceptions import DeviceError, FileError, UsageError
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.administrator_record import Record
from ndks.network.bundle import Bundle
from ndks.network.generation import State
from ndks_protocol import errors


def uid(number: int) -> str:
    return f"{number:016X}"


def record_of(bundle: Bundle) -> Record:
    return Record.unsealed(ROOT, bundle.record)


def test_lanes_and_generations_of_an_administrator() -> None:
    for number, lanes in ((0, [4, 8]), (1, [1, 5]), (3, [3, 7])):
        admin = administrator(number)
        assert [admin.admit(uid(1)), admin.admit(uid(2))] == lanes
        assert [admin.issue().g for _ in range(3)] == [number, number + 4, number + 8]
    _, second = administrator(), administrator(1)
    second.on_bundle(administrator().issue().content)
    assert second.issue().g == 1


def test_generation_0_has_the_secret_of_the_network_file() -> None:
    admin = administrator()
    (host,) = joined(admin, 1)
    assert host.unit.here.secret == NETWORK.secret
    later = admin.issue()
    assert record_of(later).secret != NETWORK.secret
    assert administrator(1, seed=7).issue() != administrator(1, seed=8).issue()


def test_a_bundle_says_what_was_before() -> None:
    admin = administrator()
    first, second = admin.issue(), admin.issue()
    assert (first.previous, second.previous) == (-1, 0)
    assert first.content[4:6] == b"\xff\xff"
    assert record_of(second).known == (0,)
    for _ in range(10):
        admin.issue()
    assert record_of(admin.state.bundles[-1]).known == tuple(range(12, 44, 4))


def test_a_unit_is_admitted_once() -> None:
    admin = administrator()
    admin.admit(uid(1))
    with pytest.raises(UsageError, match="a member already"):
        admin.admit(uid(1))
    admin.revoke([4])
    assert admin.admit(uid(1)) == 8
    assert admin.state.revoked == (4,)


def test_the_revoked_get_no_notice_and_are_named_to_the_others() -> None:
    admin = administrator()
    host, thief = joined(admin, 2)
    admin.revoke([thief.unit.lane])
    bundle = admin.issue()
    assert len(bundle.notices) == 1
    host.receive(bundle.content)
    thief.receive(bundle.content)
    assert host.unit.revoked == (8,)
    assert thief.unit.here.g == 0
    with pytest.raises(DeviceError) as error:
        host.unit.open(thief.unit.seal(3, bytes(8))[0])
    assert error.value.number == errors.REVOKED


def test_the_retired_get_no_notice_and_are_not_named() -> None:
    admin = administrator()
    host, gone = joined(admin, 2)
    admin.retire([gone.unit.lane])
    bundle = admin.issue()
    host.receive(bundle.content)
    assert len(bundle.notices) == 1
    assert host.unit.revoked == ()
    assert record_of(bundle).members[1].state == State.RETIRED
    admin.revoke([gone.unit.lane])
    admin.retire([gone.unit.lane])  # states only grow
    assert admin.state.revoked == (8,)


def test_new_operators() -> None:
    admin = administrator()
    joined(admin, 1)
    bundle = admin.issue(operators=(5, 1, 2))
    assert admin.state.operators == record_of(bundle).operators == (5, 1, 2)
    assert record_of(admin.issue()).operators == (5, 1, 2)


def test_limits() -> None:
    admin = administrator()
    lanes = [admin.admit(uid(number)) for number in range(97)]
    admin.revoke(lanes[:96])
    with pytest.raises(UsageError, match="may revoke 0 more"):
        admin.revoke(lanes[96:])
    admin.retire(lanes[96:])
    admin.revoke(lanes[:1])  # it is already
    assert len(admin.issue().notices) == 0
    with pytest.raises(UsageError, match="no unit has lane 3"):
        admin.retire([3])
    last = administrator(next_lane=0xFFEC)
    assert last.admit(uid(1)) == 0xFFEC
    with pytest.raises(UsageError, match="all lanes"):
        last.admit(uid(2))
    full = administrator()
    full.state = Administration(NETWORK, ROOT, generations=full.state.generations, g=-1)
    object.__setattr__(full.state, "g", 65532)
    with pytest.raises(UsageError, match="used up"):
        full.issue()


def test_sizes() -> None:
    for count, revoked in ((1, 0), (3, 2), (10, 0)):
        admin = administrator()
        lanes = [admin.admit(uid(number)) for number in range(count + revoked)]
        admin.revoke(lanes[:revoked])
        for _ in range(9):
            bundle = admin.issue()
        expected = count * (115 + 2 * revoked) + 13 * (count + revoked) + 149
        assert len(bundle.content) == expected


def test_the_file_is_written_before_a_bundle_is_returned() -> None:
    saved: list[Administration] = []
    admin = Administrator(Administration(NETWORK, ROOT), saved.append)
    admin.admit(uid(1))
    assert saved == []
    bundle = admin.issue()
    assert saved == [admin.state]
    assert saved[0].bundles == (bundle,)
    assert saved[0].members[0].joined == 0


def test_what_cannot_be_saved_did_not_happen() -> None:
    admin = administrator()
    joined(admin, 1)
    other = administrator(1)
    before = admin.state
    foreign = other.issue()

    def full(_: Administration) -> None:
        raise FileError("disk full")

    admin = Administrator(before, full)
    with pytest.raises(FileError):
        admin.issue()
    with pytest.raises(FileError):
        admin.on_bundle(foreign.content)
    assert admin.state is before


def pair() -> tuple[Administrator, Administrator, list[Host]]:
    """Return two administrators who know of each other's present generation, and four hosts."""
    first, second = administrator(), administrator(1)
    hosts = joined(first, 4)
    assert second.on_bundle(first.state.bundles[0].content) is None
    return first, second, hosts


def test_the_other_administrator_learns_from_a_bundle() -> None:
    first, second, _ = pair()
    assert second.state.members == first.state.members
    assert second.state.generations == first.state.generations
    assert second.admit(uid(9)) == 1
    bundle = second.issue()
    assert (bundle.g, bundle.previous) == (1, 0)
    assert first.on_bundle(bundle.content) is None
    assert first.state.members == second.state.members
    assert first.issue().g == 4
    assert first.on_bundle(bundle.content) is None  # known


def test_foreign_and_damaged_bundles_teach_nothing() -> None:
    first, second, _ = pair()
    before = first.state
    bundle = second.issue()
    other_root = Administrator(Administration(NETWORK, bytes(32)))
    for content in (bundle.content[:-1], b"B\x01", other_root.issue().content, bytes(200)):
        assert first.on_bundle(content) is None
    damaged = Bundle.signed(second.keys.signing, 5, 0, [], b"\0" + bundle.record[1:])
    assert first.on_bundle(damaged.content) is None
    other_g = Bundle.signed(second.keys.signing, 5, 0, [], bundle.record)
    assert first.on_bundle(other_g.content) is None
    assert first.state is before


def test_who_sees_that_something_was_passed_over_merges() -> None:
    first, second, hosts = pair()
    first.revoke([hosts[0].unit.lane])
    revoking = first.issue()  # 4
    second.admit(uid(77))
    newer = [second.issue(), second.issue()][-1]  # 5, knows nothing of 4
    assert newer.g > revoking.g
    merged = first.on_bundle(newer.content)
    assert merged is not None
    assert (merged.g, merged.previous) == (8, 5)
    assert second.on_bundle(merged.content) is None
    assert second.state.members == first.state.members
    assert second.state.revoked == (4,)


def test_the_maker_of_the_newer_one_merges_too_if_it_sees_the_older() -> None:
    first, second, hosts = pair()
    first.revoke([hosts[0].unit.lane])
    revoking = first.issue()
    [second.issue() for _ in range(2)]
    merged = second.on_bundle(revoking.content)
    assert merged is not None
    assert merged.g == 9
    assert record_of(merged).known == (0, 1, 4, 5)


def test_if_only_the_numbers_differ_the_one_passed_over_merges() -> None:
    first, second, _ = pair()
    older = first.issue()  # 4
    newer = [second.issue(), second.issue()][-1]  # 5
    assert second.on_bundle(older.content) is None
    merged = first.on_bundle(newer.content)
    assert merged is not None
    assert merged.g == 8
    assert second.on_bundle(merged.content) is None


def test_late_messages_of_either_side_open_after_a_merge() -> None:
    first, second, hosts = pair()
    left, right = hosts[:2], hosts[2:]
    one = first.issue()
    other = [second.issue(), second.issue()][-1]
    for host in left:
        host.receive(one.content)
    for bundle in second.later(0):
        for host in right:
            host.receive(bundle.content)
    late = [*left[0].send(b"left"), *right[0].send(b"right")]
    merged = first.on_bundle(other.content)
    assert merged is not None
    for host in hosts:
        host.receive(other.content, merged.content, *late)
    assert hosts[1].delivered == [(4, 1, b"left"), (12, 1, b"right")]
    assert hosts[3].delivered == [(4, 1, b"left"), (12, 1, b"right")]
    talk(hosts, 100)
    assert not any(host.lost for host in hosts)


def test_a_merge_gives_nobody_a_generation_of_before_he_joined() -> None:
    first, second, _ = pair()
    second.admit(uid(77))
    newer = [second.issue(), second.issue()][-1]
    first.issue()
    lane = first.admit(uid(78))
    merged = first.on_bundle(newer.content)
    assert merged is not None
    assert first.state.member(lane).joined == merged.g
    old, new = unit_of(first, 1), unit_of(first, lane)
    old.notice(merged.g, merged.notices_for(old.hint(merged.g))[0])
    new.notice(merged.g, merged.notices_for(new.hint(merged.g))[0])
    assert old.held() == (8, 5)  # not 4, of the other side; nobody told of 1
    assert new.held() == (8,)


def test_a_merge_carries_six_generations() -> None:
    first, second, hosts = pair()
    for _ in range(9):
        second.issue()
    first.issue()
    for bundle in second.state.bundles:
        first.on_bundle(bundle.content)
    merged = first.state.bundles[-1]
    notice = merged.notices_for(hosts[0].unit.hint(merged.g))[0]
    assert len(notice) == 109 + 38 * 6
    hosts[0].unit.notice(merged.g, notice)


def test_founded_from_a_network_with_units_and_another_administrator() -> None:
    network = NETWORK.admit(uid(1), "Alice")[0].admit(uid(2), "Bob")[0]
    state = Administration.founded(network, ROOT)
    assert [(member.lane, member.admission.label) for member in state.members] == [(4, "Alice"), (8, "Bob")]
    kept, second = state.another()
    assert (kept.numbers, second.number, second.next_lane) == (2, 1, 0)
    assert second.free_lane() == 5  # above the lanes of before
    with pytest.raises(UsageError, match="administrator 0"):
        second.another()
    for _ in range(2):
        kept, _ = kept.another()
    with pytest.raises(UsageError, match="at most 4"):
        kept.another()


def test_a_lane_that_is_named_twice_takes_one_revocation() -> None:
    admin = administrator(revocations=1)
    joined(admin, 2)
    admin.revoke([4, 4])
    assert (admin.state.revoked, admin.state.revocations) == ((4,), 0)


def test_administrators_share_the_revocations_so_that_a_merge_fits() -> None:
    first, files = Administration(NETWORK, ROOT), list[Administration]()
    for _ in range(3):
        first, other = first.another()
        files.append(other)
    assert [file.revocations for file in (first, *files)] == [24] * 4
    admin = Administrator(Administration(NETWORK, ROOT))
    lanes = [admin.admit(uid(number)) for number in range(90)]
    admin.revoke(lanes)
    state, other = admin.state.another()
    assert (state.revocations, other.revocations) == (0, 6)


def test_two_apart_who_revoke_all_they_may_are_merged() -> None:
    first, second = administrator(revocations=48), administrator(1, revocations=48)
    for admin in (first, second):
        lanes = [admin.admit(uid(admin.state.number * 100 + number)) for number in range(49)]
        admin.revoke(lanes[:48])
        with pytest.raises(UsageError, match="0 more"):
            admin.revoke(lanes[48:])
        admin.issue()
    merged = first.on_bundle(second.state.bundles[-1].content)
    assert merged is not None
    assert (len(first.state.revoked), len(merged.notices)) == (96, 2)


def test_what_the_network_says_takes_own_lanes_of_a_file_from_a_backup() -> None:
    admin = administrator()
    joined(admin, 1)
    backup = admin.state
    admin.admit(uid(50))
    bundle = admin.issue()
    restored = Administrator(backup)
    assert restored.on_bundle(bundle.content) is None
    assert restored.admit(uid(51)) == 12
    assert restored.issue().g == 8
