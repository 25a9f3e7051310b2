# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Capsules without a unit: decrypt with the network file after the loss of all units; inspect in its three views."""

import dataclasses
import json
import random
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import assert_refused
from unit.other_member import FULL_CHUNK, HEADER_SIZE, SIZES, OtherMember, header_of, size_of_capsule

import ndks
from ndks_protocol.commands import CIPHERS, MAX_JUMP, SUITES

LETTER = b"meet me at the old bridge"
NOTE = "opened offline"


@pytest.fixture
def capsule(alice: str, desk: Path) -> Path:
    path = desk / "letter.txt.ndks"
    with ndks.open(alice) as unit:
        path.write_bytes(unit.seal(LETTER))
    return path


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("cipher", CIPHERS)
def test_what_any_unit_sealed(suite: str, cipher: str, tmp_path: Path, desk: Path, call: Call) -> None:
    network = ndks.Network.new("lost", suite=suite)
    network.save(tmp_path / "lost.ndksnet")
    with ndks.open(f"emulator:{tmp_path / 'alice'}", create=True) as unit:
        unit.bind(unit.provision(network, 777))
        for mode, size in zip("abababa", SIZES, strict=True):
            data = random.Random(size).randbytes(size)
            (desk / "x.ndks").write_bytes(unit.seal(data, cipher=cipher, mode=mode))
            opened = call("decrypt", desk / "x.ndks", "--network", tmp_path / "lost.ndksnet", "-o", "-")
            assert (opened.status, opened.output) == (0, data)
            assert NOTE in opened.stderr


def test_as_often_as_one_likes_also_what_units_refuse(
    alice: str, bob: str, capsule: Path, network_file: Path, call: Call
) -> None:
    call("decrypt", capsule, "--unit", bob)
    assert_refused(call("decrypt", capsule, "--unit", bob, "-o", "-"), "DUPLICATE", 4)
    assert_refused(call("decrypt", capsule, "--unit", alice, "-o", "-"), "REFLECTED", 4)
    for _ in range(2):
        assert call("decrypt", capsule, "--network", network_file, "-o", "-").output == LETTER


def test_numbers_far_ahead(network: ndks.Network, network_file: Path, capsule: Path, call: Call) -> None:
    capsule.write_bytes(OtherMember(network, 65535).seal(LETTER, number=(1 << 48) - 1))
    assert call("decrypt", capsule, "--network", network_file, "-o", "-").output == LETTER


def test_file_and_json(capsule: Path, network_file: Path, network: ndks.Network, call: Call) -> None:
    members = (ndks.Member(1, "00" * 8, "alice"),)
    dataclasses.replace(network, next_lane=2, members=members).save(network_file, overwrite=True)
    finished = call("decrypt", capsule, "--network", network_file, "--json")
    target = capsule.with_suffix("")
    assert json.loads(finished.text) == {
        "schema": 1,
        "file": str(target),
        "bytes": len(LETTER),
        "lane": 1,
        "number": 1,
        "cipher": "vernam",
        "suite": "hybrid",
    }
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (LETTER, 0o600)
    text = call("decrypt", capsule, "--network", network_file, "--force").text
    assert text == f"{target}: {len(LETTER)} bytes, message 1 of lane 1 (alice), cipher vernam\n"


def test_network_file_of_another_network(capsule: Path, tmp_path: Path, call: Call) -> None:
    ndks.Network.new("office").save(tmp_path / "other.ndksnet")
    for command in ("decrypt", "inspect"):
        assert_refused(call(command, capsule, "--network", tmp_path / "other.ndksnet"), "HEADER", 5)
    assert not capsule.with_suffix("").exists()


def test_network_file_that_is_none(capsule: Path, tmp_path: Path, call: Call) -> None:
    (tmp_path / "damaged.ndksnet").write_text("{}")
    (tmp_path / "damaged.ndksnet").chmod(0o600)
    for command in ("decrypt", "inspect"):
        assert_refused(call(command, capsule, "--network", tmp_path / "damaged.ndksnet"), "NETWORK_FILE", 1)
        assert_refused(call(command, capsule, "--network", tmp_path / "missing.ndksnet"), "FILE", 1)
    assert not capsule.with_suffix("").exists()


@pytest.mark.parametrize("size", [*SIZES, 1017, 5000])
def test_what_an_outsider_sees(network: ndks.Network, capsule: Path, call: Call, size: int) -> None:
    capsule.write_bytes(OtherMember(network, 3).seal(bytes(size)))
    seen = json.loads(call("inspect", capsule, "--json").text)
    whole = size_of_capsule(size)
    chunks = -(-(whole - HEADER_SIZE) // FULL_CHUNK)
    assert seen == {"schema": 1, "file": str(capsule), "version": 1, "size": whole, "chunks": chunks, "bytes": size}
    text = call("inspect", capsule).text
    assert f"{whole} bytes, chunks: {chunks}, for {size} bytes of data (not verified)" in text
    assert "masked" in text


def test_what_a_member_sees(network: ndks.Network, alice: str, bob: str, capsule: Path, call: Call) -> None:
    def seen_by(port: str, number: int, cipher: str = "vernam") -> dict[str, object]:
        capsule.write_bytes(OtherMember(network, 1).seal(LETTER, cipher, number))
        finished = call("inspect", capsule, "--unit", port, "--json")
        assert (finished.status, finished.stderr) == (0, "")
        return json.loads(finished.text)["member"]

    new = {"lane": 1, "number": 300, "cipher": "aes", "suite": "hybrid", "capsule_state": "new"}
    assert seen_by(bob, 300, "aes") == new
    assert call("decrypt", capsule, "--unit", bob, "-o", "-").output == LETTER
    assert seen_by(bob, 300)["capsule_state"] == "DUPLICATE"
    assert seen_by(bob, 44)["capsule_state"] == "TOO_OLD"
    assert seen_by(bob, 300 + MAX_JUMP + 1)["capsule_state"] == "TOO_FAR"
    assert seen_by(alice, 300) == {"lane": 1, "suite": "hybrid", "capsule_state": "made by this unit"}
    text = call("inspect", capsule, "--unit", bob).text
    assert [line.split()[0] for line in text.splitlines()] == [
        *("capsule", "size", "lane", "number", "cipher", "suite", "state")
    ]


def test_inspecting_changes_nothing(bob: str, capsule: Path, call: Call) -> None:
    first = call("inspect", capsule, "--unit", bob)
    assert call("inspect", capsule, "--unit", bob) == first
    assert call("decrypt", capsule, "--unit", bob, "-o", "-").output == LETTER


def test_what_the_network_file_shows(capsule: Path, network_file: Path, network: ndks.Network, call: Call) -> None:
    members = (ndks.Member(1, "00" * 8, "alice"),)
    dataclasses.replace(network, next_lane=2, members=members).save(network_file, overwrite=True)
    seen = json.loads(call("inspect", capsule, "--network", network_file, "--json").text)
    header = header_of(network, capsule.read_bytes())
    assert seen["member"] == {
        "lane": 1,
        "sender": "alice",
        "number": 1,
        "cipher": "vernam",
        "suite": "hybrid",
        "salt": header.salt.hex(),
    }


@pytest.mark.parametrize(
    ("content", "code", "status"),
    [
        (b"", "HEADER", 5),
        (b"\1", "HEADER", 5),
        (b"\1" * (HEADER_SIZE - 1), "HEADER", 5),
        (b"\1" * HEADER_SIZE, "AUTH", 5),
        (b"\1" * (HEADER_SIZE + 31), "AUTH", 5),
        (b"\2" * 100, "VERSION", 5),
        (b"Dear Bob, meet me at the old bridge, at noon, on Thursday. Alice", "VERSION", 5),
        (b"PK\3\4", "VERSION", 5),
    ],
)
def test_files_that_are_no_capsules(capsule: Path, content: bytes, code: str, status: int, call: Call) -> None:
    capsule.write_bytes(content)
    assert_refused(call("inspect", capsule), code, status)
    assert_refused(call("inspect", capsule, "--json"), code, status)


def test_shortest_file_that_may_be_a_capsule(capsule: Path, bob: str, network_file: Path, call: Call) -> None:
    capsule.write_bytes(b"\1" * (HEADER_SIZE + 32))
    assert json.loads(call("inspect", capsule, "--json").text)["bytes"] == 0
    for view in (("--unit", bob), ("--network", network_file)):
        assert_refused(call("inspect", capsule, *view), "HEADER", 5)
