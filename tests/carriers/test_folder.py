# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets as files in a folder, one folder for all or one each with a copier between them."""

import contextlib
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from carriers.inbox import Inbox, wait_until
from ndks.carriers import folder
from ndks.carriers.folder import FolderCarrier
from ndks.exceptions import UsageError

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
