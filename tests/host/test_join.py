# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Joining by request and package, between two laptops; options and texts that mean nothing."""

import json
from pathlib import Path

import pytest
from host.conftest import Call
from host.joining import WRONG_WORDS, Joining, joining, members
from host.running import assert_refused, run, run_at_terminal
from support.emulate_process import emulated

import ndks
from ndks.laptop.homes import HOME
from ndks.network.admission import admit_by_request
from ndks.network.join_package import JoinPackage
from ndks.network.join_request import load_request
from ndks.network.network_file import Network

__all__ = ["joining"]  # a fixture


def key(port: str, **environment: str) -> bytes:
    finished = run("key", "--unit", port, **environment)
    assert finished.status == 0, finished.stderr
    return finished.output


def test_a_unit_joins_over_a_line_and_shares_keys(tmp_path: Path, network_file: Path, alice: str) -> None:
    with emulated(tmp_path / "unit") as unit:
        joining = Joining(tmp_path, network_file, unit.port)
        requested, answered = joining.request("--label", "carol"), joining.answer("--json")
        assert requested.stderr == ""
        assert requested.text.splitlines()[-1] == load_request(joining.request_file).words
        assert json.loads(answered.text)["words"] == JoinPackage.load(joining.package_file).words
        used = joining.use("--bind")
        assert (used.status, used.stderr) == (0, "")
        assert "is a member of network office, lane 1\n" in used.text
        assert "is bound to this laptop" in used.text
        assert key(unit.port, **joining.environment) == key(alice)
    assert members(joining) == [(1, "carol")]


def test_all_files_are_private(joining: Joining) -> None:
    joining.until_package()
    assert joining.use("--bind").status == 0
    modes = {path: oct(path.stat().st_mode & 0o777) for path in joining.directory.rglob("*") if path.is_file()}
    assert set(modes.values()) == {"0o600"}, modes


def test_a_unit_for_a_third_laptop_is_bound_by_its_words(joining: Joining, tmp_path: Path) -> None:
    joining.until_package()
    used = joining.use()
    assert used.status == 0
    assert_refused(joining.candidate("key"), "LOCKED", 5)
    code = tmp_path / "code"
    code.write_text(used.text.splitlines()[-1])
    there = {HOME: str(tmp_path / "there")}
    assert run("bind", "--code", code, "--unit", joining.port, **there).status == 0
    assert len(key(joining.port, **there)) == 65


def test_answers_in_json(joining: Joining) -> None:
    requested = json.loads(joining.request("--json").text)
    answered = json.loads(joining.answer("--json").text)
    used = json.loads(joining.use("--bind", "--json").text)
    network = Network.load(joining.network_file)
    assert requested["file"] == str(joining.request_file)
    assert answered["file"] == str(joining.package_file)
    assert requested["serial_number"] == answered["serial_number"] == used["serial_number"]
    assert used["network_id"] == answered["network_id"] == network.network_id
    assert (used["network"], used["lane"], used["suite"]) == ("office", 1, "hybrid")
    assert network.secret.hex() not in json.dumps([requested, answered, used])


def test_words_are_typed_when_asked_for(joining: Joining) -> None:
    assert joining.request("--network", "office").status == 0
    ask = ("provision", joining.network_file, "--for", joining.request_file, "-o", joining.package_file)
    assert_refused(run_at_terminal(f"{WRONG_WORDS}\n".encode(), *ask), "WORDS", 1)
    heard = load_request(joining.request_file).words.split()
    in_two_lines = f"{' '.join(heard[:2])}\n{' '.join(word[:4].upper() for word in heard[2:])}\n"
    answered = run_at_terminal(in_two_lines.encode(), *ask)
    assert answered.status == 0, answered.stderr
    told = set(heard) & set(answered.stderr.split())  # nobody can type what he reads instead of what he hears
    assert len(told) < 5, told  # some may be words of the message: "will", "code"
    words = JoinPackage.load(joining.package_file).words
    use = ("provision", joining.package_file, "--bind", "--unit", joining.port)
    assert_refused(run_at_terminal(b"\x04", *use, **joining.environment), "USAGE", 2)
    used = run_at_terminal(f"{words}\n".encode(), *use, **joining.environment)
    assert used.status == 0, used.stderr
    assert len(key(joining.port, **joining.environment)) == 65


def test_a_member_makes_no_request(alice: str, desk: Path, call: Call) -> None:
    assert_refused(call("join", "request", "--unit", alice, "-o", desk / "request"), "PROVISIONED", 4)
    assert list(desk.iterdir()) == []


@pytest.mark.parametrize(
    "option", [("--network", "a/b"), ("--network", "n" * 33), ("--label", "a\nb"), ("--label", "l" * 65)]
)
def test_texts_that_no_request_can_have(option: tuple[str, str], joining: Joining, desk: Path, call: Call) -> None:
    with ndks.open(joining.port, create=True) as unit:
        request = unit.join_request()
    refused = call("join", "request", "--unit", joining.port, "-o", desk / "request", *option)
    assert_refused(refused, "USAGE", 2)
    assert list(desk.iterdir()) == []
    with ndks.open(joining.port) as unit:  # its key is not void
        assert unit.join_package(admit_by_request(joining.network_file, request)).lane == 1


def test_options_that_mean_nothing(joining: Joining, call: Call) -> None:
    with ndks.open(joining.port, create=True) as unit:
        unit.join_request().save(joining.request_file)
        request = load_request(joining.request_file)
    admit_by_request(joining.network_file, request).save(joining.package_file)
    network, package, ask = joining.network_file, joining.package_file, joining.request_file
    for arguments, said in (
        ((network, "--for", ask), "-o is missing"),
        ((network, "--for", ask, "-o", "new", "--bind"), "--bind has no meaning"),
        ((network, "--for", ask, "-o", "new", "--unit", joining.port), "--unit has no meaning"),
        ((network, "-o", "new"), "-o has no meaning"),
        ((network, "--again"), "--again has no meaning"),
        ((network, "--words", WRONG_WORDS), "--words are those of a request or a package"),
        ((package, "--label", "x"), "--label has no meaning"),
        ((ask,), "is a request, which an administrator answers"),
    ):
        refused = call("provision", *arguments)
        assert_refused(refused, "USAGE", 2)
        assert said in refused.stderr
    for arguments in ((package, "--for", ask), (network, "--for", package), (network, "--for", network)):
        refused = call("provision", *arguments, "-o", joining.directory / "new", "--words", WRONG_WORDS)
        assert refused.error_code in ("NETWORK_FILE", "JOINING_FILE")
    assert not Path("new").exists()
