# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks bind`, `trust` and `zeroize` on two laptops: two directories in NDKS_HOME."""

import base64
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.fake_usb import plug_in_devices, plug_in_ports
from host.running import Finished, assert_refused, run, run_at_terminal, run_with_input
from support.emulate_process import emulated
from unit.other_member import flipped

import ndks
from ndks.laptop.homes import HOME
from ndks.laptop.words import from_words, to_words

pytest.importorskip("termios", reason="this system has no pseudo-terminals")

LETTER = b"meet me at the old bridge"
ID = re.compile(r"\b[0-9a-f]{32}\b")


@dataclass(frozen=True)
class Laptop:
    """A laptop. `home` is the directory of its bindings."""

    home: Path

    def run(self, *arguments: object) -> Finished:
        return run(*arguments, **self.environment)

    def run_with_input(self, typed: str, *arguments: object) -> Finished:
        return run_with_input(typed.encode(), *arguments, **self.environment)

    def run_at_terminal(self, typed: str, *arguments: object) -> Finished:
        return run_at_terminal(typed.encode(), *arguments, **self.environment)

    def values(self, *arguments: object) -> dict[str, Any]:
        finished = self.run(*arguments, "--json")
        assert finished.status == 0, finished.stderr
        return json.loads(finished.text)

    def state_of(self, port: str) -> tuple[str, bool]:
        values = self.values("info", "--unit", port)
        return values["status"]["state"], values["bound_here"]

    def wrong_attempts(self, port: str) -> int:
        return self.values("info", "--unit", port)["status"]["wrong_attempts"]

    def opens(self, port: str) -> bool:
        return self.run("key", "--index", 1, "--unit", port).status == 0

    @property
    def environment(self) -> dict[str, str]:
        return {HOME: str(self.home)}


@pytest.fixture
def here(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "here")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "elsewhere")


@pytest.fixture
def place(tmp_path: Path) -> str:
    """Return the port of a unit that does not exist yet."""
    return f"emulator:{tmp_path / 'unit'}"


@pytest.fixture
def words(elsewhere: Laptop, network_file: Path, place: str) -> str:
    """Return the transport code of a unit that was provisioned on the other laptop."""
    return words_of(elsewhere.run("provision", network_file, "--unit", place))


@pytest.fixture
def bound(here: Laptop, network_file: Path, place: str) -> str:
    """Return the port of a unit bound to this laptop."""
    assert here.run("provision", network_file, "--bind", "--unit", place).status == 0
    return place


def words_of(finished: Finished) -> str:
    assert finished.status == 0, finished.stderr
    last = finished.text.splitlines()[-1]
    assert len(last.split()) == 24
    return last


def test_provisioning_shows_words_and_binds_to_nobody(
    here: Laptop, elsewhere: Laptop, network_file: Path, place: str
) -> None:
    finished = elsewhere.run("provision", network_file, "--unit", place)
    assert len(from_words(words_of(finished))) == 32
    assert finished.stderr == ""
    for laptop in (here, elsewhere):
        assert laptop.state_of(place) == ("locked", False)
        assert_refused(laptop.run("key", "--unit", place), "LOCKED", 5)
        assert not laptop.home.exists()
    assert ndks.Network.load(network_file).members[0].binding_id == "00" * 16


def test_provisioning_shows_words_in_json(elsewhere: Laptop, here: Laptop, network_file: Path, place: str) -> None:
    values = elsewhere.values("provision", network_file, "--unit", place)
    assert here.run_with_input(values["transport_code"], "bind", "--unit", place).status == 0


def test_binding_by_stdin(here: Laptop, elsewhere: Laptop, place: str, words: str) -> None:
    finished = here.run_with_input(f"{words}\n", "bind", "--unit", place)
    assert (finished.status, finished.stderr) == (0, "")
    (binding_id,) = ID.findall(finished.text)
    assert f"ndks trust 1 {binding_id}" in finished.text
    assert here.state_of(place) == ("provisioned", True)
    assert elsewhere.state_of(place) == ("locked", False)
    assert here.values("info", "--unit", place)["hello"]["binding_id"] == binding_id
    assert here.opens(place)


@pytest.mark.parametrize("typed", [str.upper, lambda words: words.replace(" ", "\n"), lambda words: f"  {words} \r\n"])
def test_words_as_people_write_them(here: Laptop, place: str, words: str, typed: Any) -> None:
    assert here.run_with_input(typed(words), "bind", "--unit", place, "--code", "-").status == 0
    assert here.opens(place)


def test_binding_by_file(here: Laptop, place: str, words: str, tmp_path: Path) -> None:
    code = tmp_path / "code.txt"
    code.write_text(f"{words}\n")
    values = here.values("bind", "--code", code, "--unit", place)
    assert (values["schema"], values["lane"], values["with_network"]) == (1, 1, False)
    assert set(values) == {"schema", "serial_number", "lane", "binding_id", "characteristics", "with_network"}
    assert here.opens(place)


def test_binding_at_a_terminal(here: Laptop, place: str, words: str) -> None:
    finished = here.run_at_terminal(f"{words}\n", "bind", "--unit", place)
    assert finished.status == 0, finished.stderr
    assert "24 words" in finished.stderr
    assert here.opens(place)


@pytest.mark.parametrize("lines", [2, 4, 24])
def test_words_on_several_lines_at_a_terminal(here: Laptop, place: str, words: str, lines: int) -> None:
    """The words have the line breaks of the printed code; no rest of the input reaches the shell."""
    each = 24 // lines
    typed = "".join(" ".join(words.split()[start : start + each]) + "\n" for start in range(0, 24, each))
    finished = here.run_at_terminal(typed, "bind", "--unit", place)
    assert finished.status == 0, finished.stderr
    assert here.opens(place)


def test_missing_file(here: Laptop, place: str, words: str, tmp_path: Path) -> None:
    assert_refused(here.run("bind", "--code", tmp_path / "none", "--unit", place), "FILE", 1)


NO_CODES = {
    "nothing": "",
    "too few": "zoo " * 23,
    "too many": "zoo " * 25,
    "no word": "zzzz " * 24,
    "checksum": "zoo " * 24,
    "binary": "\0\1\2",
}


@pytest.mark.parametrize("kind", NO_CODES)
def test_words_that_are_none(here: Laptop, elsewhere: Laptop, place: str, words: str, kind: str) -> None:
    assert_refused(here.run_with_input(NO_CODES[kind], "bind", "--unit", place), "USAGE", 2)
    assert elsewhere.wrong_attempts(place) == 0
    assert here.run_with_input(words, "bind", "--unit", place).status == 0


def test_words_of_another_unit(here: Laptop, elsewhere: Laptop, place: str, words: str, network_file: Path) -> None:
    other = words_of(elsewhere.run("provision", network_file, "--unit", f"{place}2"))
    for _ in range(3):
        finished = here.run_with_input(other, "bind", "--unit", place)
        assert_refused(finished, "LOCKED", 5)
        assert "words" in finished.stderr  # the message blames the words, not the unit
    assert elsewhere.wrong_attempts(place) == 0
    assert here.run_with_input(words, "bind", "--unit", place).status == 0


def test_words_that_were_used(here: Laptop, elsewhere: Laptop, place: str, words: str) -> None:
    assert here.run_with_input(words, "bind", "--unit", place).status == 0
    assert_refused(elsewhere.run_with_input(words, "bind", "--unit", place), "LOCKED", 5)
    assert here.opens(place)


def test_binding_a_unit_that_is_bound_here_asks_for_nothing(here: Laptop, bound: str) -> None:
    before = here.values("info", "--unit", bound)
    values = here.values("bind", "--unit", bound)
    assert values["binding_id"] == before["hello"]["binding_id"]
    assert here.opens(bound)


def test_binding_a_blank_unit(here: Laptop, place: str) -> None:
    ndks.open(place, create=True).close()
    finished = here.run_with_input(to_words(bytes(32)), "bind", "--unit", place)
    assert_refused(finished, "BLANK", 4)
    assert "ndks provision" in finished.advice


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


def test_what_the_laptop_is_known_by(here: Laptop, bound: str) -> None:
    values = here.values("bind", "--show")
    assert values["schema"] == 1
    assert all(len(pair) == 2 for pair in values["characteristics"])
    (unit,) = values["units"]
    assert unit["binding_id"] == here.values("info", "--unit", bound)["hello"]["binding_id"]
    assert unit["differences"] == []
    text = here.run("bind", "--show").text
    assert all(value in text for _, value in values["characteristics"])
    assert f"unit {unit['serial_number']}: unchanged since it was bound" in text


def test_what_has_changed_is_shown(here: Laptop, bound: str) -> None:
    (path,) = (here.home / "units").iterdir()
    values = json.loads(path.read_text())
    values["bindings"][0]["characteristics"] = [["board", "another one"]]
    path.write_text(json.dumps(values))
    assert "board another one is gone" in here.run("bind", "--show").text
    finished = here.run("key", "--unit", bound)
    assert_refused(finished, "LOCKED", 5)
    assert "board another one is gone" in finished.stderr
    info = here.run("info", "--unit", bound)
    assert info.status == 0
    assert "board another one is gone" in info.stderr
    assert json.loads(here.run("info", "--unit", bound, "--json").text)["status"]["state"] == "locked"


def test_showing_on_a_new_laptop(here: Laptop) -> None:
    assert here.values("bind", "--show")["units"] == []
    assert not here.home.exists()


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


@pytest.fixture
def pair(here: Laptop, elsewhere: Laptop, bound: str, network_file: Path) -> tuple[str, str, str]:
    """Return Alice's unit, bound here; Bob's unit, bound on the other laptop; the id of Alice's binding."""
    bob = f"{bound}2"
    assert elsewhere.run("provision", network_file, "--bind", "--unit", bob).status == 0
    return bound, bob, here.values("info", "--unit", bound)["hello"]["binding_id"]


def test_trust(here: Laptop, elsewhere: Laptop, pair: tuple[str, str, str], tmp_path: Path, desk: Path) -> None:
    alice, bob, binding_id = pair
    (tmp_path / "letter").write_bytes(LETTER)

    def send() -> Finished:
        assert here.run("encrypt", tmp_path / "letter", "--force", "--unit", alice).status == 0
        return elsewhere.run("decrypt", tmp_path / "letter.ndks", "-o", "-", "--unit", bob)

    assert send().output == LETTER
    values = elsewhere.values("trust", 1, binding_id, "--unit", bob)
    assert (values["schema"], values["lane"], values["binding_id"]) == (1, 1, binding_id)
    assert send().output == LETTER
    finished = elsewhere.run("trust", 1, "11" * 16, "--unit", bob)
    assert finished.status == 0
    assert binding_id not in finished.text
    for mode in ("a", "b"):
        assert here.run("encrypt", tmp_path / "letter", "--force", "--mode", mode, "--unit", alice).status == 0
        refused = elsewhere.run("decrypt", tmp_path / "letter.ndks", "-o", desk / "x", "--mode", mode, "--unit", bob)
        assert_refused(refused, "BINDING", 5)
        assert refused.advice.endswith(
            f"(ndks info --unit UNIT shows it there) and run: ndks trust LANE ID --unit {bob}"
        )
        assert list(desk.iterdir()) == []
    assert elsewhere.run("trust", 1, 0, "--unit", bob).status == 0
    assert send().output == LETTER


def test_trust_in_upper_case(elsewhere: Laptop, pair: tuple[str, str, str]) -> None:
    assert elsewhere.values("trust", 1, pair[2].upper(), "--unit", pair[1])["binding_id"] == pair[2]


def test_a_unit_does_not_trust_itself(here: Laptop, bound: str) -> None:
    assert_refused(here.run("trust", 1, "11" * 16, "--unit", bound), "USAGE", 2)


def test_trust_in_the_network_file(
    here: Laptop, elsewhere: Laptop, pair: tuple[str, str, str], network_file: Path, tmp_path: Path, desk: Path
) -> None:
    alice, _, binding_id = pair
    assert ndks.Network.load(network_file).members[0].binding_id == binding_id  # written by provision --bind
    (tmp_path / "letter").write_bytes(LETTER)
    assert here.run("encrypt", tmp_path / "letter", "--unit", alice).status == 0
    offline = ("decrypt", tmp_path / "letter.ndks", "-o", desk / "letter", "--force", "--network", network_file)
    assert elsewhere.run(*offline).status == 0
    assert elsewhere.run("trust", 1, "11" * 16, "--network", network_file).status == 0
    (desk / "letter").unlink()
    assert_refused(elsewhere.run(*offline), "BINDING", 5)
    assert list(desk.iterdir()) == []
    assert elsewhere.run("trust", 1, 0, "--network", network_file).status == 0
    assert elsewhere.run(*offline).status == 0
    assert elsewhere.run("trust", 1, binding_id, "--network", network_file).status == 0
    assert elsewhere.run(*offline).status == 0


def test_trust_of_a_lane_that_no_unit_has(here: Laptop, pair: tuple[str, str, str], network_file: Path) -> None:
    before = network_file.read_bytes()
    refused = here.run("trust", 3, "11" * 16, "--network", network_file)
    assert_refused(refused, "USAGE", 2)
    assert network_file.read_bytes() == before


def test_trust_is_told_to_one(here: Laptop, bound: str, network_file: Path) -> None:
    """The command refuses a unit and a file together, because only one of them would learn the id."""
    refused = here.run("trust", 2, "11" * 16, "--network", network_file, "--unit", bound)
    assert_refused(refused, "USAGE", 2)


def test_more_laptops_than_a_unit_can_remember(here: Laptop, bound: str) -> None:
    for lane in range(2, 12):
        assert here.run("trust", lane, f"{lane:032x}", "--unit", bound).status == 0
    assert_refused(here.run("trust", 12, "11" * 16, "--unit", bound), "SENDERS", 4)
    assert here.run("trust", 5, 0, "--unit", bound).status == 0
    assert here.run("trust", 12, "11" * 16, "--unit", bound).status == 0


def test_zeroizing_asks(here: Laptop, bound: str) -> None:
    serial_number = here.values("info", "--unit", bound)["hello"]["serial_number"]
    finished = here.run("zeroize", "--unit", bound)
    assert_refused(finished, "USAGE", 2)
    assert "--yes" in finished.advice
    for answer in ("no\n", "\n", "y\n", "yes please\n"):
        refused = here.run_at_terminal(answer, "zeroize", "--unit", bound)
        assert_refused(refused, "DECLINED", 1)
        assert serial_number in refused.stderr
        assert "nothing was changed" in refused.stderr
    assert here.run_with_input("yes\n", "zeroize", "--unit", bound).status == 2  # nobody is there
    assert here.opens(bound)
    finished = here.run_at_terminal("yes\n", "zeroize", "--unit", bound)
    assert finished.status == 0, finished.stderr
    assert here.state_of(bound) == ("blank", False)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_zeroizing_at_any_laptop(
    here: Laptop, elsewhere: Laptop, bound: str, network_file: Path, where: str, tmp_path: Path
) -> None:
    secret = ndks.Network.load(network_file).secret
    laptop = {"here": here, "elsewhere": elsewhere}[where]
    values = laptop.values("zeroize", "--yes", "--unit", bound)
    assert set(values) == {"schema", "serial_number", "state"}
    assert values["state"] == "blank"
    assert here.state_of(bound) == ("blank", False)
    assert_refused(here.run("key", "--unit", bound), "BLANK", 4)
    for path in (tmp_path / "unit").iterdir():
        assert secret not in path.read_bytes()
    assert [path.stem for path in (here.home / "units").iterdir()] == (
        [] if where == "here" else [values["serial_number"]]
    )
    again = here.values("provision", network_file, "--bind", "--unit", bound)
    assert (again["lane"], again["serial_number"]) == (2, values["serial_number"])
    assert here.opens(bound)
    assert [(member.lane, member.serial_number) for member in ndks.Network.load(network_file).members] == [
        (2, values["serial_number"])
    ]


def test_zeroizing_a_blank_unit(here: Laptop, place: str) -> None:
    ndks.open(place, create=True).close()
    assert here.run("zeroize", "--yes", "--unit", place).status == 0
    assert here.state_of(place) == ("blank", False)


def test_zeroizing_makes_no_unit(here: Laptop, place: str, tmp_path: Path) -> None:
    assert_refused(here.run("zeroize", "--yes", "--unit", place), "NO_UNIT", 3)
    assert not (tmp_path / "unit").exists()


def test_a_bound_unit_is_not_provisioned_again(here: Laptop, elsewhere: Laptop, bound: str, network_file: Path) -> None:
    for laptop in (here, elsewhere):
        refused = laptop.run("provision", network_file, "--unit", bound)
        assert_refused(refused, "PROVISIONED", 4)
        assert "ndks zeroize" in refused.advice
    assert ndks.Network.load(network_file).next_lane == 2


def test_the_units_of_two_laptops_share_keys(here: Laptop, elsewhere: Laptop, pair: tuple[str, str, str]) -> None:
    keys = [here.run("key", "--unit", pair[0]), elsewhere.run("key", "--unit", pair[1])]
    assert keys[0].output == keys[1].output
    assert len(keys[0].output) == 65


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


def test_forgetting_a_unit(alice: str, call: Call) -> None:
    with ndks.open(alice) as unit:
        serial_number = unit.hello.serial_number
    assert_refused(call("bind", "--forget", "0" * 16), "USAGE", 2)
    assert serial_number in call("bind", "--forget", "0" * 16).stderr
    assert_refused(call("bind", "--forget", serial_number), "USAGE", 2)  # nobody can be asked
    declined = run_at_terminal(b"no\n", "bind", "--forget", serial_number)
    assert_refused(declined, "DECLINED", 1)
    assert call("bind", "--forget", serial_number.lower(), "--yes").status == 0
    assert serial_number not in call("bind", "--show").text
    assert_refused(call("key", "--unit", alice), "LOCKED", 5)


def test_showing_one_unit(alice: str, bob: str, call: Call) -> None:
    with ndks.open(alice) as unit:
        serial_number = unit.hello.serial_number
    for name in (alice, serial_number.lower()):
        units = json.loads(call("bind", "--show", "--unit", name, "--json").text)["units"]
        assert [unit["serial_number"] for unit in units] == [serial_number]


def test_trust_without_a_unit_says_what_to_add(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    plug_in_ports(monkeypatch)
    plug_in_devices(monkeypatch)
    finished = call("trust", 1, 32 * "1")
    assert_refused(finished, "NO_UNIT", 3)
    assert finished.advice == "name the unit to write to: --unit UNIT"


def test_whom_to_tell(tmp_path: Path, call: Call) -> None:
    network = tmp_path / "office.ndksnet"
    call("network", "new", "office", "-o", network)
    first = call("provision", network, "--bind", "--label", "alice", "--unit", f"emulator:{tmp_path / 'a'}").text
    assert re.search(r"ndks trust 1 [0-9a-f]{32} --unit UNIT\n", first)
    with emulated(tmp_path / "a") as running:
        second = call("provision", network, "--bind", "--unit", f"emulator:{tmp_path / 'b'}").text
        line = rf"ndks trust 2 [0-9a-f]{{32}} --unit {running.port}    # lane 1, unit [0-9A-F]{{16}}, alice\n"
        assert re.search(line, second)


def test_a_network_file_that_others_can_read(tmp_path: Path, call: Call) -> None:
    network = tmp_path / "office.ndksnet"
    call("network", "new", "office", "-o", network)
    network.chmod(0o640)
    finished = call("network", "show", network)
    assert_refused(finished, "FILE", 1)
    assert finished.advice == f"chmod 600 {network}"


def test_parameters_are_shown_on_request_only(tmp_path: Path, call: Call) -> None:
    network = tmp_path / "office.ndksnet"
    call("network", "new", "office", "--p1", "0.5204", "--p2", "25.375", "-o", network)
    assert "0.5204" not in call("network", "show", network).text + call("network", "show", network, "--json").text
    shown = json.loads(call("network", "show", network, "--parameters", "--json").text)
    assert (shown["p1"], shown["p2"]) == ("0.5204", "25.375")
    assert "0.5204" in call("network", "show", network, "--parameters").text
