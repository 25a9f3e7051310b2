# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One laptop's part that is interrupted: unplugged at any time, or with a full disk."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from homologation import faraday_letter
from homologation.faraday_laptops import LETTER, FaradayLaptop, make_laptop
from homologation.faraday_letter import assert_letter_is_kept, assert_letter_is_safe
from host.conftest import Call
from host.running import assert_refused
from unit.other_member import open_offline

import ndks
from host import conftest as host_fixtures
from ndks.line.link import Link
from ndks_laboratory.faraday import Record

call = host_fixtures.call
network = host_fixtures.network
small_disk = host_fixtures.small_disk
no_unit_of_the_user = host_fixtures.no_unit_of_the_user
laptop = faraday_letter.laptop


def unplug_at(number: int, when: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Pull the cable at that request, or before its answer; return a function that tells whether it was pulled."""
    left = iter(range(number))
    name = "_send" if when == "request" else "_answer"
    original = getattr(Link, name)
    unplugged: list[bool] = []

    def cut(link: Link, *arguments: Any) -> Any:
        is_cut = bool(unplugged) or next(left, None) is None
        result = None if is_cut and (unplugged or when == "request") else original(link, *arguments)
        if is_cut:
            unplugged.append(True)
            raise ndks.UnitRemoved("the unit was removed")
        return result

    monkeypatch.setattr(Link, name, cut)
    return lambda: bool(unplugged)


@pytest.mark.parametrize("when", ["request", "answer"])
def test_unplugged_at_any_time_nothing_is_lost(
    network: ndks.Network, tmp_path: Path, call: Call, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command continues, with --force if the record already exists; no key is skipped."""
    number = 0
    while True:
        directory = tmp_path / str(number)
        directory.mkdir()
        laptop = make_laptop("alice", directory, network, 1, call, monkeypatch)
        laptop.letter.write_bytes(LETTER)
        with monkeypatch.context() as patch:
            was_unplugged = unplug_at(number, when, patch)
            finished = laptop.send(keys=2)
        if finished.status == 0:
            break
        assert was_unplugged()
        assert_refused(finished, "REMOVED", 6)
        assert_letter_is_kept(laptop)
        assert laptop.record.exists() == laptop.capsule.exists() == ("--force" in finished.advice)
        again = laptop.send(*(["--force"] if "--force" in finished.advice else []), keys=2)
        assert again.status == 0, again.stderr
        assert [key.index for key in Record.load(laptop.record).keys] == [1, 2]
        assert laptop.next_index() == 4
        assert open_offline(network, laptop.capsule.read_bytes()) == LETTER
        number += 1
    assert number > 8


@pytest.mark.parametrize("failing", ["capsule", "record", "record, once more"])
def test_a_full_disk(
    laptop: FaradayLaptop, network: ndks.Network, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves = iter(range(100))
    save = Record.save

    def full(*arguments: Any, **options: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def save_until_full(record: Record, *arguments: Any, **options: Any) -> None:
        if next(saves) == (0 if failing == "record" else 1):
            full()
        save(record, *arguments, **options)

    with monkeypatch.context() as patch:
        if failing == "capsule":
            patch.setattr(ndks.Unit, "encrypt", full)
        else:
            patch.setattr(Record, "save", save_until_full)
        assert_refused(laptop.send(), "FILE", 1)
    assert_letter_is_safe(laptop, network)
    if failing == "record, once more":
        message = Record.load(laptop.record).message
        assert message
        assert not message.deleted
        assert (laptop.letter.exists(), laptop.next_index()) == (False, 5)
    else:
        assert_letter_is_kept(laptop)
        assert laptop.next_index() == 1
        assert laptop.send().status == 0


def test_a_disk_that_is_really_full(laptop: FaradayLaptop, small_disk: Path) -> None:
    letter = small_disk / "letter.txt"
    letter.write_bytes(bytes(200_000))  # there is no room for its capsule
    assert_refused(laptop.run("--message", letter), "FILE", 1)
    assert letter.read_bytes() == bytes(200_000)
    assert [path.name for path in small_disk.iterdir()] == ["letter.txt"]
    assert (laptop.record.exists(), laptop.next_index()) == (False, 1)
