# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""File names up to the maximum length and beyond: temporary names are shorter, or the error is clear."""

import json
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import assert_refused

import ndks

LONGEST = 255  # maximum size in bytes
TOO_LONG = "the name is too long for a file"


def long_name(size: int, end: str = "") -> str:
    return "n" * (size - len(end)) + end


@pytest.mark.parametrize("size", [240, 250, 251, 253, LONGEST])
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_keys(size: int, force: list[str], alice: str, call: Call, desk: Path) -> None:
    target = desk / long_name(size)
    if force:
        target.write_bytes(b"old")
    assert call("key", "--unit", alice, "-o", target, *force).status == 0
    assert [path.name for path in desk.iterdir()] == [target.name]


@pytest.mark.parametrize(
    ("command", "size"),
    [
        (["key"], LONGEST + 1),
        (["stream", "--bits", "80"], LONGEST + 1),
        (["stream", "--bits", "80"], LONGEST),
        (["stream", "--bits", "80"], LONGEST - len(".part.json") + 1),
        (["stream", "--bits", "80", "--force"], LONGEST - len(".part.json") + 1),
    ],
)
def test_keys_into_names_that_are_too_long(command: list[str], size: int, alice: str, call: Call, desk: Path) -> None:
    finished = call(*command, "--unit", alice, "-o", desk / long_name(size))
    assert_refused(finished, "FILE", 1)
    assert TOO_LONG in finished.stderr
    assert list(desk.iterdir()) == []
    with ndks.open(alice) as unit:
        assert unit.next_index()[1] == 1


def test_the_longest_name_of_a_stream(alice: str, call: Call, desk: Path) -> None:
    target = desk / long_name(LONGEST - len(".part.json"))
    assert call("stream", "--bits", 80, "--unit", alice, "-o", target).status == 0
    assert [path.name for path in desk.iterdir()] == [target.name]


@pytest.mark.parametrize("size", [250, 251, LONGEST])
def test_messages(size: int, alice: str, call: Call, desk: Path) -> None:
    letter = desk / long_name(size)
    letter.write_bytes(b"dear Bob")
    finished = call("encrypt", letter, "--unit", alice)
    if size + len(".ndks") <= LONGEST:
        assert finished.status == 0
        return
    assert_refused(finished, "FILE", 1)
    assert TOO_LONG in finished.stderr
    assert call("encrypt", letter, "--unit", alice, "-o", desk / "capsule").status == 0


@pytest.mark.parametrize("size", [248, 249, 250, 251, LONGEST])
def test_network_files(size: int, call: Call, desk: Path) -> None:
    path = desk / long_name(size, ".ndksnet")
    assert call("network", "new", "office", "-o", path).status == 0
    assert call("provision", path, "--unit", f"emulator:{desk / 'alice'}").status == 0
    assert json.loads(path.read_bytes())["next_lane"] == 2


@pytest.mark.parametrize("size", [247, 248, LONGEST])
def test_a_network_file_that_is_not_there(size: int, call: Call, desk: Path) -> None:
    finished = call("network", "show", desk / long_name(size))
    assert_refused(finished, "FILE", 1)
    assert "there is no" in finished.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["network", "new", "office", "-o"],
        ["bind", "--backup"],
        ["generate", "--p1", "0.52", "--p2", "25", "-o"],
    ],
)
def test_other_files_with_names_that_are_too_long(command: list[str], call: Call, desk: Path) -> None:
    finished = call(*command, desk / long_name(LONGEST + 1))
    assert_refused(finished, "FILE", 1)
    assert TOO_LONG in finished.stderr


def test_units_with_names_that_are_too_long(call: Call) -> None:
    for name in (long_name(LONGEST + 1), f"/dev/{long_name(LONGEST + 1)}", f"emulator:{long_name(LONGEST + 1)}"):
        assert_refused(call("info", "--unit", name), "NO_UNIT", 3)
