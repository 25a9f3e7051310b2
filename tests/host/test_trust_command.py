# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks trust`: whose messages a unit and a network file take, by the id of the binding."""

import re
from pathlib import Path

import pytest
from host.conftest import Call
from host.fake_usb import plug_in_devices, plug_in_ports
from host.laptops import LETTER, Laptop
from host.running import Finished, assert_refused
from support.emulate_process import emulated

import ndks

pytest.importorskip("termios", reason="this system has no pseudo-terminals")


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


def test_the_units_of_two_laptops_share_keys(here: Laptop, elsewhere: Laptop, pair: tuple[str, str, str]) -> None:
    keys = [here.run("key", "--unit", pair[0]), elsewhere.run("key", "--unit", pair[1])]
    assert keys[0].output == keys[1].output
    assert len(keys[0].output) == 65


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
