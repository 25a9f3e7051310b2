# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One laptop's part: inputs, files written and deleted, and recovery from every interruption."""

import base64
import errno
import hashlib
import hmac
import io
import json
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from homologation.faraday_laptops import ETHERNET, LETTER, SALT, FaradayLaptop, machine, make_laptop, make_tree
from host.conftest import Call
from host.refusing import refuse_fsync_of_directories
from host.running import assert_refused
from support.reference import exported_key
from unit.other_member import open_offline

import ndks
from host import conftest as host_fixtures
from ndks.line.link import Link
from ndks_laboratory.faraday import LaptopChannel, Record, deletion
from ndks_laboratory.faraday.computer import Mount

OTHER_SALT = 32 * "7"

call = host_fixtures.call
network = host_fixtures.network
small_disk = host_fixtures.small_disk
no_unit_of_the_user = host_fixtures.no_unit_of_the_user


@pytest.fixture
def laptop(network: ndks.Network, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> FaradayLaptop:
    return make_laptop("alice", tmp_path, network, 1, call, monkeypatch)


def assert_letter_is_kept(laptop: FaradayLaptop) -> None:
    assert laptop.letter.read_bytes() == LETTER


def assert_letter_is_safe(laptop: FaradayLaptop, network: ndks.Network) -> None:
    """Check that the letter or its capsule exists."""
    if not laptop.letter.exists():
        assert open_offline(network, laptop.capsule.read_bytes()) == LETTER


def test_the_record_says_what_was_done(laptop: FaradayLaptop, network: ndks.Network) -> None:
    finished = laptop.send()
    assert finished.status == 0, finished.stderr
    record = Record.load(laptop.record)
    assert [key.index for key in record.keys] == [1, 2, 3]
    assert (record.authentication.index, laptop.next_index()) == (4, 5)
    assert (record.network_id, record.lane, record.suite) == (network.network_id, 1, "hybrid")
    assert (record.salt, record.accepted_risk, record.repeated) == (SALT, False, ())
    assert (record.channels_before, record.channels_after) == ((), ())
    assert record.message
    assert (record.message.size, record.message.cipher, record.message.deleted) == (len(LETTER), "vernam", True)
    assert record.message.capsule == hashlib.sha256(laptop.capsule.read_bytes()).hexdigest()
    assert record.started <= record.ended


def test_commitments_by_another_way(laptop: FaradayLaptop, network: ndks.Network) -> None:
    laptop.send("--bits", 1000)
    values = json.loads(laptop.record.read_text())
    salt = bytes.fromhex(SALT)
    for key in values["keys"]:
        bits = exported_key(network, key["index"], 0, 125)
        text = b"ndks faraday key\0" + struct.pack(">QQ", key["index"], 1000) + bits
        assert key["commitment"] == hmac.new(salt, text, "sha256").hexdigest()
    authentic = exported_key(network, 4, 0, 32)
    text = b"ndks faraday text\0" + salt + LETTER + struct.pack(">Q", len(LETTER))
    assert values["message"]["commitment"] == hmac.new(authentic, text, "sha256").hexdigest()
    tag = values["authentication"].pop("tag")
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
    assert tag == hmac.new(authentic, b"ndks faraday record\0" + canonical, "sha256").hexdigest()


def test_no_key_is_in_the_record_nor_on_the_screen(laptop: FaradayLaptop, network: ndks.Network) -> None:
    finished = laptop.send("--json")
    shown = laptop.record.read_text() + finished.text + finished.stderr
    for index in range(1, 5):
        key = exported_key(network, index, 0, 32)
        for part in (key[:8], key[12:20], key[24:]):
            for form in (part.hex(), str(int.from_bytes(part)), base64.b64encode(key[:9]).decode()):
                assert form not in shown
    assert "Meet" not in shown
    assert laptop.letter.name not in laptop.record.read_text()


def test_a_receiver_has_no_message(laptop: FaradayLaptop) -> None:
    assert laptop.run().status == 0
    assert Record.load(laptop.record).message is None
    assert not laptop.capsule.exists()
    assert_letter_is_kept(laptop)


def test_another_run_takes_the_next_keys(laptop: FaradayLaptop) -> None:
    laptop.run()
    assert_refused(laptop.run(salt=OTHER_SALT), "FILE", 1)
    assert laptop.next_index() == 5
    assert laptop.run("--force", salt=OTHER_SALT).status == 0
    assert [key.index for key in Record.load(laptop.record).keys] == [5, 6, 7]


def test_the_same_run_once_more_takes_the_same_keys(laptop: FaradayLaptop) -> None:
    laptop.run()
    before = Record.load(laptop.record)
    assert laptop.run("--force").status == 0
    assert (Record.load(laptop.record).keys, laptop.next_index()) == (before.keys, 5)


def test_keys_that_were_taken_with_a_channel_open_are_not_taken_again(laptop: FaradayLaptop) -> None:
    laptop.looks = [[], [ETHERNET]]
    laptop.run()
    assert laptop.run("--force").status == 0
    assert [key.index for key in Record.load(laptop.record).keys] == [5, 6, 7]


def test_keys_of_a_record_that_is_not_the_last_are_not_taken_again(laptop: FaradayLaptop) -> None:
    laptop.run()
    laptop.ndks("key", "--unit", laptop.port)
    assert laptop.run("--force").status == 0
    assert [key.index for key in Record.load(laptop.record).keys] == [6, 7, 8]


@pytest.mark.parametrize("is_open", [True, None])
def test_an_open_channel_is_refused(laptop: FaradayLaptop, is_open: bool | None) -> None:
    laptop.looks = [[LaptopChannel("interface", "eth0", "carrier", is_open, "pull the cable of eth0")]]
    finished = laptop.send()
    assert_refused(finished, "CHANNEL", 1)
    assert "interface eth0 (carrier)" in finished.stderr
    assert "pull the cable of eth0" in finished.advice
    assert (laptop.record.exists(), laptop.capsule.exists(), laptop.next_index()) == (False, False, 1)
    assert_letter_is_kept(laptop)


def test_an_accepted_risk_is_recorded(laptop: FaradayLaptop) -> None:
    laptop.looks = [[ETHERNET], [ETHERNET]]
    finished = laptop.send("--accept-risk")
    assert finished.status == 0
    assert "WARNING" in finished.stderr
    record = Record.load(laptop.record)
    assert (record.accepted_risk, record.channels_before, record.channels_after) == (True, (ETHERNET,), (ETHERNET,))
    assert not laptop.letter.exists()


def test_a_channel_that_opens_meanwhile_is_recorded_and_fails(laptop: FaradayLaptop, network: ndks.Network) -> None:
    laptop.looks = [[], [ETHERNET]]
    finished = laptop.send()
    assert_refused(finished, "CHANNEL", 1)
    assert "interface eth0" in finished.stderr
    record = Record.load(laptop.record)
    assert (record.channels_before, record.channels_after) == ((), (ETHERNET,))
    assert record.message
    assert not record.message.deleted
    assert_letter_is_kept(laptop)
    assert laptop.next_index() == 5  # the keys may have left the laptop


def test_a_unit_behind_tcp_is_not_even_connected_to(laptop: FaradayLaptop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        laptop.port = f"socket://127.0.0.1:{server.getsockname()[1]}"
        finished = laptop.run()
        assert_refused(finished, "CHANNEL", 1)
        assert "emulator:DIR" in finished.advice
        with pytest.raises(TimeoutError):
            server.accept()


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


def test_what_is_no_message_is_refused_before_anything(laptop: FaradayLaptop) -> None:
    (laptop.desk / "link").symlink_to(laptop.letter)
    (laptop.desk / "hard").write_bytes(LETTER)
    os.link(laptop.desk / "hard", laptop.desk / "harder")
    (laptop.desk / "sealed").write_bytes(LETTER)
    (laptop.desk / "sealed.ndks").write_bytes(b"a capsule of last week")
    for name in ("link", "hard", "none", "home", "sealed"):
        assert_refused(laptop.run("--message", laptop.desk / name), "FILE", 1)
    for target in (laptop.letter, laptop.capsule):
        where = ("--unit", laptop.port, "--force", "-o", target)
        arguments = ("faraday", "run", "--salt", SALT, "--message", laptop.letter, *where)
        assert_refused(laptop.ndks(*arguments), "FILE", 1)
    assert (laptop.desk / "sealed.ndks").read_bytes() == b"a capsule of last week"
    assert_letter_is_kept(laptop)
    assert (laptop.record.exists(), laptop.next_index()) == (False, 1)


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_messages_of_any_size(laptop: FaradayLaptop, network: ndks.Network, size: int) -> None:
    text = bytes(range(256)) * (size // 256) + bytes(size % 256)
    laptop.letter.write_bytes(text)
    assert laptop.send("--cipher", "aes").status == 0
    assert open_offline(network, laptop.capsule.read_bytes()) == text


@pytest.mark.parametrize(
    "options",
    [
        ["--salt", "00"],
        ["--salt", 32 * "g"],
        ["--salt", SALT, "--keys", 0],
        ["--salt", SALT, "--keys", 10_001],
        ["--salt", SALT, "--bits", 127],
        ["--salt", SALT, "--cipher", "rot13"],
        ["--salt", SALT],
        ["--salt", SALT, "-o", "-"],
        [],
    ],
)
def test_runs_that_make_no_sense(laptop: FaradayLaptop, options: list[object]) -> None:
    assert_refused(laptop.ndks("faraday", "run", "--unit", laptop.port, *options), "USAGE", 2)


def test_salts_are_drawn_at_random(call: Call) -> None:
    drawn = {json.loads(call("faraday", "salt", "--json").text)["salt"] for _ in range(20)}
    assert len(drawn) == 20
    assert all(len(bytes.fromhex(salt)) == 16 for salt in drawn)


def test_suite_paper_is_warned_of(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop = make_laptop("alice", tmp_path, ndks.Network.new("lecture", suite="paper"), 1, call, monkeypatch)
    finished = laptop.run("--json")
    assert finished.status == 0
    assert "keep it as secret as the keys" in finished.stderr
    assert "warning" in json.loads(finished.text)


def test_many_keys_in_constant_memory(laptop: FaradayLaptop) -> None:
    """The commitment of a long key is computed in a stream."""
    assert laptop.run("--bits", 1_000_001, keys=1).status == 0
    assert Record.load(laptop.record).keys[0].bits == 1_000_001


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


def test_the_commitment_of_a_text_covers_its_size() -> None:
    from ndks_laboratory.faraday import commitments

    one = commitments.of_text(bytes(32), bytes(16), io.BytesIO(b"x"))
    assert one != commitments.of_text(bytes(32), bytes(16), io.BytesIO(b"x\0\0\0\0\0\0\0\1"))
