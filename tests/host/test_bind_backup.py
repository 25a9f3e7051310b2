# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks bind --backup` and `--restore`: sealed copies of a laptop's bindings."""

import base64
import json
from pathlib import Path

import pytest
from host.laptops import Laptop, words_of
from host.running import assert_refused
from unit.other_member import flipped

from ndks.laptop.words import to_words

pytest.importorskip("termios", reason="this system has no pseudo-terminals")


@pytest.fixture
def copy(here: Laptop, bound: str, desk: Path) -> tuple[Path, str]:
    """Return a sealed copy of a laptop's bindings, and its words."""
    path = desk / "home.sealed"
    return path, words_of(here.run("bind", "--backup", path))


def lose_disk(laptop: Laptop) -> None:
    for path in sorted(laptop.home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    laptop.home.rmdir()


def test_a_disk_that_failed(here: Laptop, bound: str, copy: tuple[Path, str]) -> None:
    path, words = copy
    assert path.stat().st_mode & 0o777 == 0o600
    before = {file.name: file.read_bytes() for file in here.home.rglob("*") if file.is_file()}
    lose_disk(here)
    assert not here.opens(bound)
    finished = here.run_with_input(words, "bind", "--restore", path)
    assert finished.status == 0, finished.stderr
    assert {file.name: file.read_bytes() for file in here.home.rglob("*") if file.is_file()} == before
    modes = {file.name: file.stat().st_mode & 0o777 for file in (here.home, *here.home.rglob("*"))}
    assert set(modes.values()) == {0o600, 0o700}
    assert here.opens(bound)


def test_the_secret_alone_was_lost(here: Laptop, bound: str, copy: tuple[Path, str]) -> None:
    path, words = copy
    (here.home / "host_secret").unlink()
    refused = here.run("key", "--unit", bound)
    assert_refused(refused, "LOCKED", 5)
    assert "--restore" in refused.advice
    assert here.run_with_input(words, "bind", "--restore", path).status == 0
    assert here.opens(bound)


def test_copy_in_json(here: Laptop, bound: str, desk: Path) -> None:
    values = here.values("bind", "--backup", desk / "home.sealed")
    assert (values["schema"], values["file"]) == (1, str(desk / "home.sealed"))
    lose_disk(here)
    finished = here.run_with_input(values["backup_code"], "bind", "--restore", desk / "home.sealed", "--json")
    restored = json.loads(finished.text)
    assert (restored["schema"], restored["directory"], len(restored["serial_numbers"])) == (1, str(here.home), 1)


def test_nothing_of_a_binding_can_be_read_in_a_copy(here: Laptop, copy: tuple[Path, str]) -> None:
    text = copy[0].read_text()
    secret = (here.home / "host_secret").read_text().strip()
    serial_number = next((here.home / "units").iterdir()).stem
    assert secret[:16] not in text
    assert serial_number not in text


def test_two_copies_have_different_words(here: Laptop, copy: tuple[Path, str], desk: Path) -> None:
    assert words_of(here.run("bind", "--backup", desk / "second")) != copy[1]


def test_wrong_words_of_a_copy(here: Laptop, elsewhere: Laptop, copy: tuple[Path, str]) -> None:
    finished = elsewhere.run_with_input(to_words(bytes(32)), "bind", "--restore", copy[0])
    assert_refused(finished, "USAGE", 2)
    assert not elsewhere.home.exists()


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "no JSON", "another kind", "newer", "missing"])
def test_damaged_copies(here: Laptop, elsewhere: Laptop, copy: tuple[Path, str], damage: str) -> None:
    path, words = copy
    whole = path.read_bytes()
    values = json.loads(whole)
    sealed = base64.b64encode(flipped(base64.b64decode(values["sealed"]), 20)).decode()
    damaged = {
        "flipped": json.dumps(values | {"sealed": sealed}).encode(),
        "cut": whole[:-20],
        "empty": b"",
        "no JSON": b"home",
        "another kind": b"[]",
        "newer": json.dumps(values | {"ndks_backup": 2}).encode(),
    }
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(damaged[damage])
    finished = elsewhere.run_with_input(words, "bind", "--restore", path)
    assert finished.status in (1, 2)
    assert_refused(finished, "USAGE" if damage == "flipped" else "FILE", finished.status)
    assert not elsewhere.home.exists()


def test_bindings_are_not_overwritten_unasked(
    here: Laptop, elsewhere: Laptop, bound: str, copy: tuple[Path, str], network_file: Path
) -> None:
    assert elsewhere.run("provision", network_file, "--bind", "--unit", f"{bound}2").status == 0
    refused = elsewhere.run_with_input(copy[1], "bind", "--restore", copy[0])
    assert_refused(refused, "FILE", 1)
    assert "--force" in refused.advice
    assert elsewhere.opens(f"{bound}2")
    finished = elsewhere.run_with_input(copy[1], "bind", "--restore", copy[0], "--force", "--json")
    restored = json.loads(finished.text)["serial_numbers"]
    assert restored == [here.values("info", "--unit", bound)["hello"]["serial_number"]]
    assert elsewhere.opens(bound)
    assert not elsewhere.opens(f"{bound}2")


def test_copies_are_not_overwritten_unasked(here: Laptop, copy: tuple[Path, str]) -> None:
    path, words = copy
    before = path.read_bytes()
    assert_refused(here.run("bind", "--backup", path), "FILE", 1)
    assert path.read_bytes() == before
    assert words_of(here.run("bind", "--backup", path, "--force")) != words
    assert path.read_bytes() != before


def test_there_is_nothing_to_copy(here: Laptop, desk: Path) -> None:
    finished = here.run("bind", "--backup", desk / "home.sealed")
    assert_refused(finished, "LOCKED", 5)
    assert list(desk.iterdir()) == []
    assert not here.home.exists()
