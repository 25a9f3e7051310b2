# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit at another laptop, or without the directory of its binding: locked, and nothing is lost."""

import os
import re
import shutil
from pathlib import Path

import pytest
from host.laptops import LETTER, Laptop
from host.running import assert_refused, run

import ndks
from ndks.laptop.homes import HOME

pytest.importorskip("termios", reason="this system has no pseudo-terminals")


def test_another_laptop_is_told_what_to_do(elsewhere: Laptop, bound: str) -> None:
    finished = elsewhere.run("key", "--unit", bound)
    assert_refused(finished, "LOCKED", 5)
    assert "laptop that it is bound to" in finished.advice


NEEDING_A_SESSION: list[list[object]] = [
    ["key"],
    ["key", "--index", 7],
    ["key", "--index", 7, "--advance"],
    ["stream", "--bits", 80, "-o", "OUT"],
    ["stream", "--bits", 80, "-o", "-"],
    ["encrypt", "LETTER", "-o", "OUT"],
    ["encrypt", "LETTER", "--mode", "a", "--cipher", "aes", "-o", "OUT"],
    ["decrypt", "CAPSULE", "-o", "OUT"],
    ["decrypt", "CAPSULE", "--mode", "a", "--again", "-o", "OUT"],
    ["inspect", "CAPSULE"],
    ["trust", 2, "11" * 16],
]


@pytest.mark.parametrize("command", NEEDING_A_SESSION, ids=lambda command: " ".join(map(str, command)))
def test_the_wrong_laptop(
    here: Laptop, elsewhere: Laptop, bound: str, command: list[object], tmp_path: Path, desk: Path
) -> None:
    (tmp_path / "LETTER").write_bytes(LETTER)
    with ndks.open(f"{bound}2", create=True) as unit:
        unit.bind(unit.provision(ndks.Network.load(tmp_path / "office.ndksnet"), 9))
        unit.encrypt(tmp_path / "LETTER", tmp_path / "CAPSULE")
    paths = {"LETTER": tmp_path / "LETTER", "CAPSULE": tmp_path / "CAPSULE", "OUT": desk / "OUT"}
    arguments = [paths.get(str(argument), argument) for argument in command]
    before = here.values("info", "--unit", bound)
    for _ in range(2):
        assert_refused(elsewhere.run(*arguments, "--unit", bound), "LOCKED", 5)
    assert list(desk.iterdir()) == []
    after = here.values("info", "--unit", bound)
    assert (after["status"]["wrong_attempts"], after["next_index"]) == (0, before["next_index"])
    assert after["status"]["message_counter"] == before["status"]["message_counter"]
    assert here.run(*arguments, "--unit", bound).status == 0
    assert not elsewhere.home.exists()


def test_info_and_eject_work_on_any_laptop_and_are_no_attempts(here: Laptop, elsewhere: Laptop, bound: str) -> None:
    for _ in range(3):
        finished = elsewhere.run("info", "--unit", bound)
        assert finished.status == 0
        assert re.search(r"^state +locked$", finished.text, re.MULTILINE)
        assert "another laptop" in finished.text
        assert "office" not in finished.text
        assert elsewhere.run("eject", "--unit", bound).status == 0
    assert here.wrong_attempts(bound) == 0
    assert "this laptop" in here.run("info", "--unit", bound).text


def test_the_directory_that_was_searched_is_named(alice: str, tmp_path: Path) -> None:
    finished = run("key", "--unit", alice, NDKS_HOME=str(tmp_path / "elsewhere"))
    assert_refused(finished, "LOCKED", 5)
    assert f"{tmp_path / 'elsewhere'}, which does not exist" in finished.stderr


def test_a_moved_home_is_noticed(alice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = tmp_path / "usual" / ".config" / "ndks"
    shutil.copytree(os.environ[HOME], usual)
    monkeypatch.setattr("pathlib.os.path.expanduser", lambda path: str(path).replace("~root", str(tmp_path / "usual")))
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    monkeypatch.setenv(HOME, str(tmp_path / "moved"))
    with pytest.raises(ndks.AuthenticationError) as refused, ndks.open(alice) as unit:
        unit.unlock()
    assert refused.value.advice.startswith(f"if it is bound here: export {HOME}={usual}; if the unit is new: ndks bind")
