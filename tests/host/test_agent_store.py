# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent's store: a crash at any statement or commit loses no message and repeats none (PROTOCOL.md section 12)."""

import sqlite3
import stat
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from support.agents import Host, administrator, joined, talk, unit_of

from ndks.agent import Limits, Store
from ndks.agent.events import Delivered
from ndks.agent.packets import Report, Voucher, digest_of
from ndks.agent.store import ROW
from ndks.exceptions import FileError, UsageError
from ndks.network.administrator import Administrator
from ndks_protocol.wire import HOUSEKEEPING


class Crash(BaseException):
    """The host stops."""


class Crashes:
    """A hook that lets the host stop at the step with a number, once."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, place: str) -> None:
        self.left -= 1
        if self.left == -1:
            raise Crash(place)


Story = Callable[[Administrator, Host, Host], list[bytes]]


def deliveries(admin: Administrator, host: Host, sender: Host) -> list[bytes]:
    """Gaps, a report, a message of before, and one of a given-up epoch."""
    capsules = [packet for text in (b"a", b"b", b"c") for packet in sender.send(text)]
    report = sender.unit.seal(HOUSEKEEPING, Report(1, 3, ((0, 1),)).packed())[0]
    voucher = sender.unit.seal(HOUSEKEEPING, Voucher(1, digest_of(capsules[0])).packed())[0]
    return [capsules[2], report, voucher, capsules[0], capsules[1]]


def generations(admin: Administrator, host: Host, sender: Host) -> list[bytes]:
    """A generation, and a revocation after which all is said again."""
    (early,) = sender.send(b"a")
    bundles = [admin.issue()]
    admin.revoke([12])
    bundles.append(admin.issue())
    for bundle in bundles:
        sender.receive(bundle.content)
    (late,) = sender.send(b"b")
    return [early, *(bundle.content for bundle in bundles), late]


STORIES = [deliveries, generations]


@pytest.mark.parametrize("story", STORIES)
def test_a_receiver_crashes_anywhere(story: Story) -> None:
    places = set[str]()
    for at in range(10_000):
        admin = administrator()
        host, sender, _ = joined(admin, 3)
        packets = story(admin, host, sender)
        host.store.hook = crashes = Crashes(at)
        for packet in packets:
            place = attempt(host, packet)
            places |= {place} if place else set()
        is_done = crashes.left >= 0
        host.store.hook = None
        talk([host, sender], 300)
        arrived = [event for _, event in host.agent.arrivals.after(0, 99) if isinstance(event, Delivered)]
        assert sorted(event.s for event in arrived) == list(range(1, (sender.agent.outbox.last or 0) + 1)), at
        assert host.unit.epoch == sender.unit.epoch
        assert host.store.read("SELECT g FROM bundles WHERE is_kept ORDER BY g")[-1] == (host.unit.here.g,)
        assert host.store.fact("revoked lanes") in (None, len(host.unit.revoked))
        if is_done:
            break
    assert {"BEGIN IMMEDIATE", "COMMIT", "after COMMIT"} < places


def attempt(host: Host, packet: bytes) -> str:
    """Let the host take a packet; after a crash it starts again, and the packet may come again."""
    try:
        host.receive(packet)
    except Crash as crash:
        host.start()
        host.receive(packet)
        return str(crash)
    return ""


def test_a_sender_crashes_anywhere() -> None:
    for at in range(10_000):
        host, receiver = joined(administrator(), 2, Limits(keep=2))
        host.store.hook = crashes = Crashes(at)
        kept = []
        for text in (b"a", b"b", b"c"):
            try:
                kept += host.send(text)
            except Crash:
                host.start()
        is_done = crashes.left >= 0
        host.store.hook = None
        host.tick()
        receiver.receive(*kept)
        talk([host, receiver], 300)
        last = host.agent.outbox.last
        assert last in ((3,) if is_done else (2, 3))
        assert receiver.delivered[-1][1] == last
        sealed = [host.agent.outbox.sealed(s) for s in (last - 1, last)]
        assert all(sealed)
        numbers = [text for _, _, text in receiver.delivered]
        assert sorted(numbers) == numbers
        assert len(set(numbers)) == len(numbers)
        if is_done:
            break


def test_a_capsule_that_was_stored_is_the_same_for_ever() -> None:
    host, receiver = joined(administrator(), 2)
    host.store.hook = lambda place: (_ for _ in ()).throw(Crash) if place.startswith("UPDATE outbox") else None
    with pytest.raises(Crash):
        host.send(b"a")
    host.store.hook = None
    burned = host.unit.own_number
    host.start()
    (capsule, *_) = host.tick()
    assert host.unit.own_number > burned  # a crash between burns a number, nothing else
    host.start()
    assert host.agent.outbox.sealed(1) == (capsule, 0)
    receiver.receive(capsule)
    assert receiver.delivered == [(4, 1, b"a")]


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    admin = administrator()
    lanes = [admin.admit("0000000000000001"), admin.admit("0000000000000002")]
    content = admin.issue().content
    units = [unit_of(admin, lane) for lane in lanes]
    host = Host(units[0], admin.keys.public, store=Store(path))
    other = Host(units[1], admin.keys.public)
    host.receive(content)
    other.receive(content)
    host.send(b"a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileError, match="cannot be used"):
        Store(path)
    host.store.close()
    host.store = Store(str(path))
    host.start()
    talk([host, other], 60)
    assert other.delivered == [(4, 1, b"a")]
    host.store.close()


@pytest.mark.parametrize("content", [b"no data base", b"SQLite format 3\0" + bytes(4080)])
def test_damaged_files_are_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(FileError, match=r"agent\.db cannot be used"):
        Store(path)


@pytest.mark.parametrize("change", ["PRAGMA user_version = 3", "PRAGMA application_id = 5"])
def test_files_of_other_versions_and_programs_are_refused(change: str, tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    Store(path).close()
    base = sqlite3.connect(path)
    base.execute(change)
    base.close()
    before = path.read_bytes()
    with pytest.raises(FileError, match="no store of this version"):
        Store(path)
    assert path.read_bytes() == before


def test_a_store_is_that_of_one_member() -> None:
    admin = administrator()
    host, other = joined(admin, 2)
    with pytest.raises(UsageError, match="that of lane 4"):
        Host(other.unit, admin.keys.public, store=host.store)
    with pytest.raises(UsageError, match="another network"):
        Host(host.unit, bytes(32), store=host.store)
    host.start()


def test_a_full_disk_is_named_and_loses_nothing(tmp_path: Path) -> None:
    host, sender = joined(administrator(), 2)
    path = tmp_path / "agent.db"
    host.store = Store(path)
    host.start()
    ((pages,),) = host.store.read("PRAGMA page_count")
    host.store.read(f"PRAGMA max_page_count = {pages}")
    capsules = [packet for _ in range(40) for packet in sender.send(bytes(900))]
    with pytest.raises(FileError, match="full"):
        host.receive(*capsules)
    host.store.read("PRAGMA max_page_count = 100000")
    host.start()
    host.receive(*capsules)
    assert [event.s for _, event in host.agent.arrivals.after(0, 99) if isinstance(event, Delivered)] == [*range(1, 41)]
    host.store.close()


def test_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="folder"):
        Store(tmp_path / "folder" / "agent.db")


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be used"):
        Store(tmp_path)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    Store(path).close()
    path.chmod(0o640)
    with pytest.raises(FileError, match="others may read"):
        Store(path)


def test_a_step_is_done_whole_or_not_at_all() -> None:
    store = Store()
    with pytest.raises(Crash):
        note_and_crash(store)
    assert store.fact("x") is None
    with store.step():
        store.note("x", 1)
    assert store.fact("x") == 1


def note_and_crash(store: Store) -> None:
    with store.step():
        store.note("x", 1)
        raise Crash


def test_what_is_in_memory_is_what_is_in_the_store() -> None:
    host, sender = joined(administrator(), 2)
    capsules = [packet for text in (b"a", b"b", b"c", b"d") for packet in sender.send(text)]
    host.receive(capsules[3], capsules[1], capsules[0])
    before = memory(host)
    host.start()
    assert memory(host) == before
    assert before["waiting"] == {4}


def memory(host: Host) -> dict[str, Any]:
    state = deepcopy(vars(host.agent.inbox(8)))
    del state["_missing"], state["_known"], state["_settled"]
    return state | {"sets": {kind: list(spans) for kind, spans in state["sets"].items()}}


def test_no_text_that_was_deleted_stays_in_the_file(tmp_path: Path) -> None:
    """Neither in free pages nor in the write-ahead log: own texts that are sealed, and others that are taken."""
    path = tmp_path / "agent.db"
    admin = administrator()
    host, sender = joined(admin, 2)
    host.store = Store(path)
    host.start()
    texts = [b"%05d: " % number + b"meet me at noon " * 50 for number in range(40)]
    for text in texts[:20]:
        host.receive(*sender.send(text))
    for text in texts[20:]:
        host.send(text)
    assert all(text[:12] in stored(path) for text in texts[:20])
    with host.store.step():
        host.agent.arrivals.taken(host.agent.arrivals.after(0, 99)[-1][0])
    host.store.tidy()
    assert not any(text[:12] in stored(path) or text[-100:] in stored(path) for text in texts)


def stored(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_the_sizes_are_those_of_the_tables() -> None:
    host, sender = joined(administrator(), 2)
    capsules = [packet for number in range(6) for packet in sender.send(bytes(number + 1))]
    host.receive(capsules[0], *capsules[2:])
    assert sizes(host) == ([(1, 1)], [(4, 3 + 4 + 5 + 6)])
    host.receive(capsules[1])
    with host.store.step():
        host.agent.arrivals.taken_alone(host.agent.arrivals.after(0, 1)[0][0])
    assert sizes(host) == ([(5, 2 + 3 + 4 + 5 + 6)], [(0, 0)])


def sizes(host: Host) -> tuple[list[Any], list[Any]]:
    found: list[list[Any]] = []
    for table, fact in (("arrivals", "arrived"), ("waiting", "waiting")):
        ((rows, size),) = host.store.read(f"SELECT count(*), ifnull(sum(length(data)), 0) FROM {table}")
        assert host.store.fact(fact) == ROW * rows + size
        found.append([(rows, size)])
    return found[0], found[1]
