# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets as files in a folder, one folder for all or one each with a copier between them."""

import contextlib
import os
import random
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from carriers.inbox import Inbox, wait_until
from ndks.carriers import folder
from ndks.carriers.folder import FolderCarrier
from ndks.carriers.packet_file import MAGIC, packed, unpacked
from ndks.exceptions import FileError, UsageError

A, B = "a" * 16, "b" * 16


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_LOOK", 0.05)


@contextlib.contextmanager
def carrying(where: Path, identity: str, memory: Path, inbox: Inbox) -> Iterator[FolderCarrier]:
    memory.mkdir(exist_ok=True)
    carrier = FolderCarrier(f"dir:{where}", identity, memory)
    carrier.start(inbox)
    try:
        yield carrier
    finally:
        carrier.close()


def test_packets_arrive_in_order_and_once(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir()
    inboxes = Inbox(), Inbox()
    with (
        carrying(shared, A, tmp_path / "a", inboxes[0]) as a,
        carrying(shared, B, tmp_path / "b", inboxes[1]) as b,
    ):
        sent = [os.urandom(size) for size in (1, 78, 300_000, 900_000, 20)]
        assert all(a.send(packet) for packet in sent)
        assert [inboxes[1].next() for _ in sent] == sent
        b.send(b"back")
        assert inboxes[0].next() == b"back"
        assert inboxes[0].rest(0.3) == []
    with carrying(shared, B, tmp_path / "b", inboxes[1]):
        assert inboxes[1].rest(0.5) == []


def test_what_is_not_taken_is_read_again(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir()
    with carrying(shared, A, tmp_path / "a", Inbox()) as a:
        a.send(b"packet")
    forgetful, inbox = Inbox(takes=False), Inbox()
    with carrying(shared, B, tmp_path / "b", forgetful):
        assert forgetful.next() == b"packet"
    with carrying(shared, B, tmp_path / "b", inbox):
        assert inbox.next() == b"packet"


def test_a_copier_that_is_slow_and_repeats_itself(tmp_path: Path):
    """Each site has a folder of its own; files are copied byte by byte, in any order, some of them twice."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    chance = random.Random(7)
    sent = [b"packet %d" % number for number in range(40)]
    inbox = Inbox()
    with carrying(here, A, tmp_path / "a", Inbox()) as a, carrying(there, B, tmp_path / "b", inbox):
        for packet in sent:
            a.send(packet)
            if chance.random() < 0.3:
                a.send(b"bundle of its time", len(sent))
        a.close()
        files = list(here.iterdir()) * 2
        chance.shuffle(files)
        for file in files:
            content = file.read_bytes()
            (there / file.name).write_bytes(content[: chance.randrange(len(content))])
            wait_until(lambda: True)
            (there / file.name).write_bytes(content)
        found = [inbox.next() for _ in range(len(sent) + 1)]
        assert sorted(set(found)) == sorted({*sent, b"bundle of its time"})


def test_an_emptied_folder_hides_no_later_packet(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir()
    inbox = Inbox()
    with (
        carrying(shared, A, tmp_path / "a", Inbox()) as a,
        carrying(shared, B, tmp_path / "b", inbox),
    ):
        for number in range(3):
            a.send(b"%d" % number)
            assert inbox.next() == b"%d" % number
            for file in shared.iterdir():
                file.unlink()


def test_old_files_are_removed_by_who_made_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folder, "_OWN_FILES", 3)
    shared = tmp_path / "shared"
    shared.mkdir()
    stranger = shared / f"{B}-p0000000001-00000000.ndkspackets"
    stranger.write_bytes(b"not ours")
    with carrying(shared, A, tmp_path / "a", Inbox()) as a:
        for number in range(8):
            a.send(b"%d" % number)
            wait_until(lambda: not a._waiting)
    assert len([file for file in shared.iterdir() if file.name.startswith(A)]) == 3
    assert stranger.exists()


def test_a_folder_that_is_gone_says_so_and_loses_nothing(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir()
    with carrying(shared, A, tmp_path / "a", Inbox()) as a:
        shutil.rmtree(shared)
        wait_until(lambda: a.problem)
        assert str(shared) in str(a.problem)
        assert a.send(b"later")
        shared.mkdir()
        wait_until(lambda: a.problem is None and not a._waiting)
        assert len(list(shared.iterdir())) == 1


def test_a_name_that_is_no_folder_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="no folder"):
        FolderCarrier(f"dir:{tmp_path}/missing", A, tmp_path)


def _valid(body: bytes) -> bytes:
    return (content := MAGIC + body) + sha256(content).digest()


def _name(number: int = 1, of: str = "c" * 16) -> str:
    return f"{of}-p{number:010}-{secrets.token_hex(4)}{folder.SUFFIX}"


def test_a_stranger_s_files_do_not_stop_it(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir()
    os.mkfifo(shared / _name())
    (shared / _name()).symlink_to("/dev/zero")
    (shared / _name()).symlink_to(shared)
    (shared / _name()).mkdir()
    (shared / _name()).write_bytes(_valid(b"\0\0"))  # a size that was cut
    (shared / _name()).write_bytes(_valid(b"\0\0\0\0" * 100_000))  # more packets than anybody writes
    (shared / _name()).write_bytes(_valid(b""))
    inbox = Inbox()
    with carrying(shared, A, tmp_path / "a", Inbox()) as a, carrying(shared, B, tmp_path / "b", inbox):
        a.send(b"packet")
        assert inbox.next() == b"packet"
        assert inbox.rest(0.3) == []


def test_a_thread_that_fails_goes_on_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shared = tmp_path / "shared"
    shared.mkdir()

    def refuse(*_: object, **__: object) -> None:
        raise FileError("in this folder no file can be removed")

    with monkeypatch.context() as patch, carrying(shared, A, tmp_path / "a", Inbox()) as a:
        patch.setattr(folder, "whole_file", refuse)
        a.send(b"packet")
        wait_until(lambda: "no file can be removed" in str(a.problem))
        patch.undo()
        monkeypatch.setattr(folder, "_LOOK", 0.05)
        wait_until(lambda: a.problem is None and a.is_idle)


def test_a_damaged_file_is_seldom_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    damaged = shared / _name()
    damaged.write_bytes(bytes(1000))
    looks: list[bytes] = []

    def look(content: bytes) -> list[bytes]:
        looks.append(content)
        return unpacked(content)

    monkeypatch.setattr(folder, "_LOOK", 0.005)
    monkeypatch.setattr(folder, "unpacked", look)
    inbox = Inbox()
    with carrying(shared, B, tmp_path / "b", inbox):
        time.sleep(1)
        assert len(looks) < 12
        damaged.write_bytes(packed([b"whole now"]))
        assert inbox.next() == b"whole now"


def test_many_files_are_noted_together(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir()
    content = packed([b"packet"])
    for number in range(1000):
        (shared / _name(number)).write_bytes(content)
    writes = 0

    def count(event: str, _: object) -> None:
        nonlocal writes
        writes += event == "os.rename"

    sys.addaudithook(count)
    inbox = Inbox()
    with carrying(shared, B, tmp_path / "b", inbox):
        assert [inbox.next() for _ in range(1000)] == [b"packet"] * 1000
        assert inbox.rest(0.3) == []
    assert writes < 300  # some dozens, and more where it takes long to get the packets
    with carrying(shared, B, tmp_path / "b", inbox):
        assert inbox.rest(0.3) == []


def test_a_forged_number_neither_silences_nor_removes(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir()
    inbox = Inbox()
    with carrying(shared, A, tmp_path / "a", Inbox()) as a, carrying(shared, B, tmp_path / "b", inbox):
        a.send(b"first")
        assert inbox.next() == b"first"
        (shared / _name(9_999_999_999, A)).write_bytes(packed([]))
        a.send(b"second")
        assert inbox.next() == b"second"
    assert len(a._own("p", {path.name for path in shared.iterdir()})) == 2


def test_a_damaged_memory_reads_all_again(tmp_path: Path):
    shared, memory = tmp_path / "shared", tmp_path / "b"
    shared.mkdir()
    inbox = Inbox()
    with carrying(shared, A, tmp_path / "a", Inbox()) as a, carrying(shared, B, memory, inbox):
        a.send(b"packet")
        assert inbox.next() == b"packet"
    (noted,) = memory.glob("read-*")
    noted.write_bytes(b"\xff\xfe\0" * 100)
    with carrying(shared, B, memory, inbox):
        assert inbox.next() == b"packet"
