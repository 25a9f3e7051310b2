# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The message of one laptop is deleted, and what deletion means on its disk."""

import errno
import os
from pathlib import Path

import pytest
from homologation import faraday_letter
from homologation.faraday_laptops import LETTER, FaradayLaptop, machine, make_tree
from homologation.faraday_letter import assert_letter_is_kept
from host.refusing import refuse_fsync_of_directories
from host.running import assert_refused
from unit.other_member import open_offline

import ndks
from host import conftest as host_fixtures
from ndks_laboratory.faraday import Record, deletion
from ndks_laboratory.faraday.computer import Mount

call = host_fixtures.call
network = host_fixtures.network
no_unit_of_the_user = host_fixtures.no_unit_of_the_user
laptop = faraday_letter.laptop


def test_the_message_is_overwritten(laptop: FaradayLaptop) -> None:
    with laptop.letter.open("rb") as file:
        assert laptop.send().status == 0
        assert file.read() == bytes(len(LETTER))
    assert not laptop.letter.exists()


@pytest.mark.parametrize("cipher", ["vernam", "aes"])
def test_the_message_is_deleted_when_all_else_is_stored(
    laptop: FaradayLaptop, network: ndks.Network, cipher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete = deletion.Original.delete
    seen: list[bool] = []

    def look_and_delete(original: deletion.Original) -> None:
        assert_letter_is_kept(laptop)
        assert open_offline(network, laptop.capsule.read_bytes()) == LETTER
        message = Record.load(laptop.record).message
        seen.append(message is not None and not message.deleted)
        delete(original)

    monkeypatch.setattr(deletion.Original, "delete", look_and_delete)
    assert laptop.send("--cipher", cipher).status == 0
    assert seen == [True]


def test_a_message_that_cannot_be_deleted_is_kept_and_the_record_says_so(
    laptop: FaradayLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(original: deletion.Original) -> None:
        raise OSError(errno.EPERM, "not permitted", str(original.path))

    monkeypatch.setattr(deletion.Original, "delete", refuse)
    assert_refused(laptop.send(), "FILE", 1)
    record = Record.load(laptop.record)
    assert record.message
    assert not record.message.deleted
    assert_letter_is_kept(laptop)


@pytest.mark.parametrize(("number", "warned"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_what_is_written_and_deleted_counts_where_directories_are_not_synced(
    laptop: FaradayLaptop, number: int, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_fsync_of_directories(monkeypatch, number)
    finished = laptop.send()
    assert finished.status == 0, finished.stderr
    for what in (f"{laptop.record} is complete", f"{laptop.letter} is overwritten and removed"):
        assert (f"WARNING: {what}, and may not survive a power cut" in finished.stderr) == warned
    record = Record.load(laptop.record)
    assert record.message
    assert record.message.deleted
    assert (laptop.letter.exists(), laptop.next_index()) == (False, 5)


@pytest.mark.parametrize("refused", ["fsync", "unlink"])
def test_a_message_that_is_overwritten_and_not_removed(
    laptop: FaradayLaptop, network: ndks.Network, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_it(original: deletion.Original, size: int) -> None:
        overwrite(original, size)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    overwrite, unlink = deletion.Original._overwrite, Path.unlink

    def keep_letter(path: Path, missing_ok: bool = False) -> None:
        if path == laptop.letter:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        unlink(path, missing_ok=missing_ok)

    if refused == "fsync":
        monkeypatch.setattr(deletion.Original, "_overwrite", refuse_it)
    else:
        monkeypatch.setattr(Path, "unlink", keep_letter)
    finished = laptop.send()
    assert_refused(finished, "FILE", 1)
    assert "was overwritten, at least in part, but not removed" in finished.stderr
    record = Record.load(laptop.record)
    assert record.message
    assert not record.message.deleted
    assert open_offline(network, laptop.capsule.read_bytes()) == LETTER


@pytest.mark.parametrize("change", ["appended", "replaced", "same size"])
def test_a_message_that_was_changed_meanwhile_is_not_deleted(
    laptop: FaradayLaptop, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_it() -> None:
        if change == "appended":
            laptop.letter.write_bytes(LETTER + b"PS")
        elif change == "same size":
            laptop.letter.write_bytes(LETTER.swapcase())
        else:
            laptop.letter.rename(laptop.desk / "old.txt")
            laptop.letter.write_bytes(LETTER + b"PS")

    acknowledge = ndks.Unit.acknowledge
    monkeypatch.setattr(ndks.Unit, "acknowledge", lambda *key, **jump: (change_it(), acknowledge(*key, **jump)))
    finished = laptop.send()
    assert_refused(finished, "FILE", 1)
    assert "changed" in finished.stderr
    changed = LETTER.swapcase() if change == "same size" else LETTER + b"PS"
    assert laptop.letter.read_bytes() == changed


def disk(tmp_path: Path, rotational: str, kind: str, options: str = "rw", device: str = "none") -> str:
    number = f"{os.major(tmp_path.stat().st_dev)}:{os.minor(tmp_path.stat().st_dev)}"
    tree = make_tree(tmp_path / "system", {f"sys/dev/block/{number}/queue/rotational": rotational})
    mounts = [Mount("/dev/other", "/", "xfs"), Mount(device, str(tmp_path), kind, options)]
    file = tmp_path / "letter.txt"
    file.write_bytes(LETTER)
    return deletion.meaning(file, machine(tree, mounts=lambda: mounts))


@pytest.mark.parametrize(
    ("rotational", "kind", "options", "says"),
    [
        ("0", "ext4", "rw", "ext4 on an SSD"),
        ("1", "ext4", "rw", "ext4 on a disk that reports to be rotational"),
        ("1", "ext4", "rw,data=journal", "to its journal as well"),
        ("0", "btrfs", "rw", "btrfs writes changes to new blocks"),
        ("1", "overlay", "rw", "overlay writes changes to new blocks"),
        ("1", "tmpfs", "rw", "in memory (tmpfs)"),
        ("", "ext4", "rw", "The kind of its disk is unknown"),
    ],
)
def test_what_deletion_means(tmp_path: Path, rotational: str, kind: str, options: str, says: str) -> None:
    meaning = disk(tmp_path, rotational, kind, options)
    assert meaning.startswith("Overwritten with zeros once, and removed. ")
    assert says in meaning
    assert meaning.endswith("Copies in editors, backups or swap space remain.")


def test_a_partition_is_on_its_disk(tmp_path: Path) -> None:
    number = f"{os.major(tmp_path.stat().st_dev)}:{os.minor(tmp_path.stat().st_dev)}"
    tree = make_tree(tmp_path / "system", {"sys/devices/sda/queue/rotational": "0", "sys/devices/sda/sda1/size": "1"})
    (tree / "sys/dev/block").mkdir(parents=True)
    (tree / "sys/dev/block" / number).symlink_to(tree / "sys/devices/sda/sda1")
    (tmp_path / "letter.txt").write_bytes(LETTER)
    assert "on an SSD" in deletion.meaning(tmp_path / "letter.txt", machine(tree))
