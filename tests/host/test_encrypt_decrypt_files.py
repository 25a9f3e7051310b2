# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files of encrypt and decrypt: their modes and names; what is there is not overwritten unasked."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from host.conftest import Call
from host.letters import LETTER, capsule, letter, names
from host.running import assert_refused, run
from unit.other_member import header_of

import ndks

__all__ = ("capsule", "letter")


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def next_number(port: str, network: ndks.Network) -> int:
    with ndks.open(port) as unit:
        return header_of(network, unit.seal(b"")).number


@pytest.mark.usefixtures("umask")
def test_modes_of_the_files(alice: str, bob: str, letter: Path, call: Call) -> None:
    call("encrypt", letter, "--unit", alice)
    letter.unlink()
    call("decrypt", f"{letter}.ndks", "--unit", bob)
    assert {path.name: path.stat().st_mode & 0o777 for path in letter.parent.iterdir()} == {
        "letter.txt": 0o600,
        "letter.txt.ndks": 0o640,
    }


def test_nothing_is_overwritten_unasked(alice: str, bob: str, letter: Path, network: ndks.Network, call: Call) -> None:
    target = Path(f"{letter}.ndks")
    target.write_text("old")
    assert_refused(call("encrypt", letter, "--unit", alice), "FILE", 1)
    assert target.read_text() == "old"
    assert next_number(alice, network) == 1  # no number was used
    assert call("encrypt", letter, "--unit", alice, "--force").status == 0
    letter.write_text("old")
    refused = call("decrypt", target, "--unit", bob)
    assert_refused(refused, "FILE", 1)
    assert "--force" in refused.advice
    assert letter.read_text() == "old"
    assert call("decrypt", target, "--unit", bob, "--force").status == 0  # the refusal has not accepted the capsule
    assert letter.read_bytes() == LETTER
    assert names(letter.parent) == ["letter.txt", "letter.txt.ndks"]


def test_forced_output_that_fails_leaves_the_old_file(capsule: Path, bob: str, call: Call, letter: Path) -> None:
    letter.write_text("old")
    capsule.write_bytes(capsule.read_bytes()[:-1])
    assert_refused(call("decrypt", capsule, "--unit", bob, "--force"), "AUTH", 5)
    assert letter.read_text() == "old"
    assert names(letter.parent) == ["letter.txt", "letter.txt.ndks"]


def test_output_through_a_link(alice: str, bob: str, letter: Path, call: Call, desk: Path) -> None:
    (desk / "link").symlink_to("elsewhere")
    assert call("encrypt", letter, "-o", desk / "link", "--unit", alice).status == 0
    assert (desk / "link").is_symlink()
    assert (desk / "elsewhere").is_file()
    assert call("decrypt", desk / "link", "-o", "-", "--unit", bob).output == LETTER


def test_output_through_a_link_that_leads_nowhere(alice: str, letter: Path, call: Call, desk: Path) -> None:
    (desk / "loop").symlink_to("loop")
    assert_refused(call("encrypt", letter, "-o", desk / "loop", "--unit", alice), "FILE", 1)


def test_a_capsule_without_the_suffix_needs_a_name(capsule: Path, bob: str, call: Call, desk: Path) -> None:
    bare = capsule.rename(desk / "capsule")
    refused = call("decrypt", bare, "--unit", bob)
    assert_refused(refused, "USAGE", 2)
    assert "-o FILE" in refused.advice
    assert call("decrypt", bare, "-o", desk / "letter", "--unit", bob).status == 0
    assert (desk / "letter").read_bytes() == LETTER


@pytest.mark.parametrize("name", ["letter", "a.b.c", ".hidden", "brief mit leerzeichen", "\u00fc", "-", "x.ndks"])
def test_names_of_all_kinds(
    alice: str, bob: str, call: Call, desk: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    Path(name).write_bytes(LETTER)
    assert call("encrypt", f"./{name}" if name != "-" else desk / name, "--unit", alice).status == 0
    Path(name).unlink()
    assert call("decrypt", desk / f"{name}.ndks", "--unit", bob).status == 0
    assert Path(name).read_bytes() == LETTER


def test_a_name_that_is_no_utf_8(alice: str, desk: Path) -> None:
    path = os.path.join(os.fsencode(desk), b"brief-\xff")  # noqa: PTH118 of bytes
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(LETTER)
    sealed = run("encrypt", os.fsdecode(path), "--unit", alice, PYTHONUTF8="1")
    assert sealed.status == 0, sealed.stderr
    assert sealed.output.startswith(path + b".ndks: ")


@pytest.mark.parametrize("command", ["encrypt", "decrypt", "inspect"])
def test_missing_file(command: str, alice: str, call: Call, desk: Path) -> None:
    refused = call(command, desk / "missing.ndks", "--unit", alice)
    assert_refused(refused, "FILE", 1)
    assert "missing.ndks" in refused.stderr
    assert names(desk) == []


def test_directories_are_no_messages(alice: str, call: Call, desk: Path) -> None:
    for command in ("decrypt", "inspect"):
        (desk / "folder.ndks").mkdir(exist_ok=True)
        refused = call(command, desk / "folder.ndks", "--unit", alice, *(["-o", "-"] if command == "decrypt" else []))
        assert_refused(refused, "FILE", 1)
    assert names(desk) == ["folder.ndks"]


@pytest.mark.parametrize("name", [".", "..", "/", "", "./"])
def test_directories_without_a_name(alice: str, name: str, desk: Path) -> None:
    for command in ("decrypt",) if name.startswith(".") else ("encrypt", "decrypt"):
        refused = run(command, name, "--unit", alice, cwd=desk)
        assert refused.error_code in ("FILE", "USAGE")
        assert (refused.status, refused.output) in ((1, b""), (2, b""))


def test_a_directory_as_output(alice: str, letter: Path, call: Call, desk: Path) -> None:
    assert_refused(call("encrypt", letter, "-o", desk, "--force", "--unit", alice), "FILE", 1)
    assert_refused(call("encrypt", letter, "-o", "/dev/null", "--force", "--unit", alice), "FILE", 1)


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_output_in_a_directory_that_does_not_exist(command: str, alice: str, capsule: Path, call: Call) -> None:
    refused = call(command, capsule, "-o", capsule.parent / "missing" / "letter", "--unit", alice)
    assert_refused(refused, "FILE", 1)
    assert "there is no directory" in refused.stderr
