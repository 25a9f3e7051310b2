# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The advice of an error leads to a command that works as it stands, with the unit that was named."""

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from host.conftest import Call, MakeUnit
from host.fake_usb import fake_port, plug_in_devices, plug_in_ports
from host.running import assert_refused, run
from support.emulate_process import emulated

import ndks
from ndks.cli.named_unit import with_unit
from ndks.driver.finding import find_port
from ndks.laptop.bindings import BindingStore


@pytest.fixture(autouse=True)
def nothing_is_plugged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plug_in_ports(monkeypatch)
    plug_in_devices(monkeypatch)
    monkeypatch.setenv("NDKS_HOME", str(tmp_path / "home"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_log_file_is_one_warning(alice: str) -> None:
    finished = run("key", "--index", 1, "--unit", alice, "--log-file", "/dev/full")
    assert (finished.status, len(finished.output)) == (0, 65)
    warned = [line for line in finished.stderr.splitlines() if "WARNING" in line]
    assert warned == ["ndks: WARNING: log file /dev/full ends here: No space left on device"]
    assert len(finished.stderr.splitlines()) == 2  # and the line about the key


def test_a_file_that_is_no_network_file_is_not_made_private(tmp_path: Path, call: Call) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Alice")
    letter.chmod(0o644)
    assert_refused(call("provision", letter, "--unit", f"emulator:{tmp_path / 'unit'}"), "NETWORK_FILE", 1)


def test_a_network_with_units_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.chdir(tmp_path)
    file, copies = Path("office.ndksnet"), [Path("office.ndksnet.old"), Path("office.ndksnet.old2")]
    for copy in (None, *copies):
        before = file.read_bytes() if copy else b""
        made = call("network", "new", "office", "--force", "--json")
        assert made.status == 0
        if copy:
            assert json.loads(made.text)["kept_as"] == str(copy)
            assert (copy.read_bytes(), copy.stat().st_mode & 0o777) == (before, 0o600)
            assert ndks.Network.load(copy).members
        ndks.Network.load(file).admit("00" * 8, "")[0].save(file, overwrite=True)
    file.chmod(0o644)  # counts too
    refused = call("network", "new", "office")
    assert_refused(refused, "FILE", 1)
    assert "office.ndksnet is a network with 1 unit; a new one cannot talk to it" in refused.stderr
    assert refused.advice == "give the new one another name: ndks network new NAME"
    assert call("network", "new", "NAME").status == 0


def test_a_network_without_units_is_replaced_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.chdir(tmp_path)
    call("network", "new", "office")
    assert "--force" in call("network", "new", "office").advice
    assert "kept_as" not in json.loads(call("network", "new", "office", "--force", "--json").text)
    assert not list(tmp_path.glob("*.old"))


def test_advice_repeats_the_unit_that_was_typed(tmp_path: Path, network_file: Path, call: Call) -> None:
    unit = f"emulator:{tmp_path / 'my unit'}"
    typed = f"--unit '{unit}'"
    made = call("provision", network_file, "--unit", unit)
    assert f"run ndks bind {typed} and type these words" in made.text
    again = call("provision", network_file, "--unit", unit, "--json")
    assert again.advice == f"use another, or erase this one: ndks zeroize {typed}"
    assert json.loads(again.text)["error"]["advice"] == again.advice
    assert f"ndks bind {typed}" in call("key", "--unit", unit).advice
    erased = call("zeroize", "--yes", "--unit", unit)
    assert erased.text.endswith(f"ndks provision NETWORK {typed}\n")


def test_advice_names_no_unit_where_none_was_typed(
    alice: str, network_file: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setenv("NDKS_UNIT", alice)  # and the next command will find it there
    assert call("provision", network_file).advice == "use another, or erase this one: ndks zeroize"


@pytest.mark.parametrize(
    "text",
    [
        "restore it: ndks bind --restore FILE",
        "ndks bind --show shows all that are",
        "see all units: ndks network show office.ndksnet",
        "check the name; ndks provision NETWORK --unit emulator:bob makes one",
        "ndks trust 1 00 --network FILE notes it in the network file",
        "see ndks keys",
    ],
)
def test_commands_that_need_no_unit_get_none(text: str) -> None:
    assert with_unit(text, "emulator:alice") == text


def test_a_unit_without_a_binding_here(
    alice: str, bob: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setattr("ndks.laptop.bindings.other_homes", lambda _: [])  # whoever runs this may have bindings
    moved = (tmp_path / "home").rename(tmp_path / "moved")
    refused = call("key", "--unit", alice)
    assert_refused(refused, "LOCKED", 5)
    with ndks.open(alice) as unit:
        serial_number = unit.hello.serial_number
    assert f"no binding of unit {serial_number} was found" in refused.stderr
    assert f"{tmp_path / 'home'}, which does not exist" in refused.stderr
    steps = ("export NDKS_HOME=DIR", f"ndks bind --unit {alice}, with its 24 words", f"ndks zeroize --unit {alice}")
    places = [refused.advice.find(step) for step in steps]
    assert places == sorted(places)
    assert places[0] > 0
    monkeypatch.setenv("NDKS_HOME", str(moved))
    assert call("key", "--unit", alice).status == 0
    (moved / "units" / f"{serial_number}.json").unlink()
    others = call("key", "--unit", alice).stderr
    assert f"{moved}, which has bindings of other units only (1)" in others
    assert not any(other in others for other in BindingStore().units())


def test_words_that_were_used(tmp_path: Path, network_file: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    unit = f"emulator:{tmp_path / 'unit'}"
    (tmp_path / "words").write_text(call("provision", network_file, "--unit", unit).text.splitlines()[-1])
    bind = ("bind", "--code", tmp_path / "words", "--unit", unit)
    assert call(*bind).status == 0
    monkeypatch.setenv("NDKS_HOME", str(tmp_path / "another"))
    refused = call(*bind)
    assert_refused(refused, "LOCKED", 5)
    assert "these words are not this unit's, or were used already" in refused.stderr
    assert "export NDKS_HOME=DIR" in refused.advice
    assert refused.advice.endswith(f"ndks zeroize --unit {unit}")


def test_nothing_attached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.chdir(tmp_path)
    refused = call("key")
    assert_refused(refused, "NO_UNIT", 3)
    for command in refused.advice.partition("emulated one: ")[2].split("; "):
        assert call(*command.split()[1:]).status == 0
    assert call("key", "--unit", "emulator:alice").status == 0


def test_emulated_units_that_run(alice: str, call: Call) -> None:
    with ndks.open(alice) as unit:
        serial_number = unit.hello.serial_number
    with emulated(Path(alice.removeprefix("emulator:"))) as running:
        refused = call("key")
        assert_refused(refused, "NO_UNIT", 3)
        assert f"{serial_number} at {running.port}" in refused.stderr
        assert refused.advice == f"name one: --unit {running.port}"
        assert call("key", "--unit", running.port).status == 0
        assert call("key", "--unit", serial_number.lower()).status == 0
        assert_refused(call("key", "--unit", "00" * 8), "NO_UNIT", 3)
    gone = call("key", "--unit", serial_number)
    assert_refused(gone, "NO_UNIT", 3)
    assert gone.advice == "plug it in, or see which units there are: ndks list"


def test_a_board_is_still_chosen_where_emulated_units_run(alice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with emulated(Path(alice.removeprefix("emulator:"))):
        plug_in_ports(monkeypatch, fake_port("/dev/ttyACM3", "E66038B713596E2A"))
        assert find_port(None) == "/dev/ttyACM3"


@pytest.fixture
def of_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """Let a path belong to another user, and return how this one gets it back."""
    if os.name != "posix" or os.geteuid():
        pytest.skip("root alone can give files away")
    import pwd  # not on Windows

    def give_away(path: Path) -> str:
        monkeypatch.setattr(os, "geteuid", lambda: 65534)
        for kept in tmp_path.rglob("*"):
            os.chown(kept, *((0, 0) if kept == path else (65534, 65534)))
        monkeypatch.setattr(os, "access", lambda other, mode: other != path)
        user = pwd.getpwuid(65534).pw_name
        return f"{path} belongs to root. Do: sudo chown {'-R ' if path.is_dir() else ''}{user} {path}."

    return give_away


@pytest.mark.parametrize("name", ["host_secret", "units", "."])
def test_bindings_of_another_user(
    name: str, alice: str, tmp_path: Path, of_root: Callable[[Path], str], call: Call
) -> None:
    message = of_root(tmp_path / "home" / name)
    for command in (["key", "--unit", alice], ["bind", "--show"]):
        refused = call(*command)
        assert_refused(refused, "FILE", 1)
        assert message in refused.stderr
    told = call("doctor")
    assert told.status == 1
    assert message.replace(". Do:", ";").rstrip(".") in told.text


def test_an_emulated_unit_of_another_user(
    alice: str, tmp_path: Path, of_root: Callable[[Path], str], call: Call
) -> None:
    message = of_root(tmp_path / "alice")
    refused = call("key", "--unit", alice)
    assert_refused(refused, "FILE", 1)
    assert message in refused.stderr


def test_the_line_of_trust_names_an_emulated_unit_beside_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.chdir(tmp_path)
    call("network", "new", "office")
    provision = ("provision", "office.ndksnet", "--bind", "--unit")
    assert "UNIT" in call(*provision, "emulator:alice").text
    (tmp_path / "elsewhere").mkdir()
    call(*provision, f"emulator:{tmp_path / 'elsewhere' / 'carol'}")
    made = call(*provision, "emulator:my bob").text
    assert "Optional, " in made
    to_alice, to_carol = made.splitlines()[-2:]
    assert shlex.split(to_alice, comments=True)[-1] == "emulator:alice"
    assert shlex.split(to_carol, comments=True)[-1] == "UNIT"
    assert call(*shlex.split(to_alice, comments=True)[1:]).status == 0
    assert "--unit 'emulator:my bob'" in call(*provision, "emulator:dave").text


def test_trust_of_a_lane_that_the_network_file_does_not_have(network_file: Path, call: Call) -> None:
    refused = call("trust", 9, "11" * 16, "--network", network_file)
    assert_refused(refused, "USAGE", 2)
    assert refused.advice == f"see all units: ndks network show {network_file}"
    assert call(*refused.advice.split()[4:]).status == 0


def test_a_capsule_of_another_network_names_the_files_to_compare(
    alice: str, tmp_path: Path, make_unit: MakeUnit, call: Call
) -> None:
    stranger = make_unit("stranger", 1, ndks.Network.new("other"))
    (tmp_path / "letter").write_text("Dear Alice")
    assert call("encrypt", tmp_path / "letter", "--unit", stranger).status == 0
    refused = call("decrypt", tmp_path / "letter.ndks", "--unit", alice, "-o", "-")
    assert_refused(refused, "HEADER", 5)
    assert f"(ndks info --unit {alice}, ndks network show FILE)" in refused.advice
