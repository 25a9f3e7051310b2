# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One laptop's part: inputs, keys, channels and files written."""

import base64
import hashlib
import hmac
import io
import json
import os
import socket
import struct
from pathlib import Path

import pytest
from homologation import faraday_letter
from homologation.faraday_laptops import ETHERNET, LETTER, SALT, FaradayLaptop, make_laptop
from homologation.faraday_letter import assert_letter_is_kept
from host.conftest import Call
from host.running import assert_refused
from support.reference import exported_key
from unit.other_member import open_offline

import ndks
from host import conftest as host_fixtures
from ndks_laboratory.faraday import LaptopChannel, Record

call = host_fixtures.call
network = host_fixtures.network
no_unit_of_the_user = host_fixtures.no_unit_of_the_user
laptop = faraday_letter.laptop


OTHER_SALT = 32 * "7"


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


def test_the_commitment_of_a_text_covers_its_size() -> None:
    from ndks_laboratory.faraday import commitments

    one = commitments.of_text(bytes(32), bytes(16), io.BytesIO(b"x"))
    assert one != commitments.of_text(bytes(32), bytes(16), io.BytesIO(b"x\0\0\0\0\0\0\0\1"))
