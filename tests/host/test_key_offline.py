# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks key --network` gives the same key in the same formats as a unit; `generate` gives only the paper's bits."""

import json
from pathlib import Path

import pytest
from host.conftest import Call, MakeUnit
from host.running import assert_refused, run

import ndks
from ndks_protocol.commands import MAX_NUMBER, SUITES
from ndks_protocol.generator import F1, F2

OFFLINE = "ndks: computed offline: no unit knows that this key was taken"


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(("digits", "f1", "f2"), [(3, F1[0], F2[0]), (6, F1[2], F2[1])])
def test_it_is_the_key_of_the_units(
    make_unit: MakeUnit, call: Call, tmp_path: Path, suite: str, digits: int, f1: str, f2: str
) -> None:
    network = ndks.Network.new("other", suite=suite, digits=digits, f1=f1, f2=f2)
    network.save(tmp_path / "other.ndksnet")
    port = make_unit("carol", 1, network)
    for index in (1, 7, MAX_NUMBER):
        for bits in (1, 13, 256, 9000):
            for form in ("hex", "bits", "base64", "raw"):
                options = ("--index", index, "--bits", bits, "--format", form)
                offline = call("key", "--network", tmp_path / "other.ndksnet", *options)
                assert offline.status == 0
                assert offline.output == call("key", "--unit", port, *options).output


def test_it_says_that_no_unit_knows(alice: str, network_file: Path) -> None:
    finished = run("key", "--network", network_file, "--index", 3, NDKS_UNIT=alice)
    assert finished.stderr.splitlines() == ["ndks: key 3 of epoch 0, 256 bits, suite hybrid", OFFLINE]
    with ndks.open(alice) as unit:
        assert unit.next_index() == (0, 1)


def test_outputs_are_those_of_a_unit(alice: str, network_file: Path, call: Call, desk: Path) -> None:
    where = (("--unit", alice), ("--network", network_file))
    of_unit, offline = (json.loads(call("key", *each, "--index", 3, "--json").text) for each in where)
    assert offline == of_unit
    told = []
    for each in where:
        written = json.loads(call("key", *each, "--index", 3, "--json", "-o", desk / "key", "--force").text)
        told.append((written, (desk / "key").read_bytes(), (desk / "key").stat().st_mode & 0o777))
    assert told[0] == told[1]
    assert_refused(call("key", *where[1], "--index", 3, "-o", desk / "key"), "FILE", 1)
    assert_refused(call("key", *where[1], "--index", 3, "--format", "raw", "--json"), "USAGE", 2)


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ([], "--index"),
        (["--index", "3", "--advance"], "--network"),
        (["--index", "3", "--allow-jump"], ""),
        (["--index", "3", "--unit", "emulator:nobody"], "one of them"),
    ],
    ids=" ".join,
)
def test_options_of_units(options: list[str], advice: str, network_file: Path, call: Call) -> None:
    refused = call("key", "--network", network_file, *options)
    assert_refused(refused, "USAGE", 2)
    assert advice in refused.advice


def test_a_unit_in_front_of_the_command(network_file: Path, call: Call) -> None:
    assert_refused(call("--unit", "x", "key", "--network", network_file, "--index", 1), "USAGE", 2)


def test_network_files_that_are_none(call: Call, tmp_path: Path) -> None:
    assert_refused(call("key", "--index", 1, "--network", tmp_path / "none.ndksnet"), "FILE", 1)
    (tmp_path / "letter").write_text("Dear Bob")
    (tmp_path / "letter").chmod(0o600)
    assert_refused(call("key", "--index", 1, "--network", tmp_path / "letter"), "NETWORK_FILE", 1)


def test_suite_paper_is_warned_of(call: Call, tmp_path: Path) -> None:
    ndks.Network.new("lecture", suite="paper").save(tmp_path / "lecture.ndksnet")
    finished = call("key", "--index", 1, "--network", tmp_path / "lecture.ndksnet", "--json")
    assert finished.stderr.count("WARNING: suite paper") == 1
    assert "suite paper" in json.loads(finished.text)["warning"]


@pytest.mark.parametrize("suite", SUITES)
def test_generate_says_first_that_it_is_the_bare_equation(suite: str, call: Call, tmp_path: Path) -> None:
    file = tmp_path / "office.ndksnet"
    ndks.Network.new("office", suite=suite).save(file)
    bare = call("generate", "--network", file, "--bits", 256, "--format", "hex")
    first = bare.stderr.splitlines()[0]
    assert "bare equation" in first
    of_units = call("key", "--network", file, "--index", 1)
    assert (bare.text == of_units.text) == (suite == "paper")
    assert ("not the key that units of suite hybrid give" in first) == (suite == "hybrid")
    if suite == "hybrid":
        assert first.endswith(f"ndks key --network {file} --index K")


def test_generate_without_a_network_says_nothing_of_units(call: Call) -> None:
    assert "bare equation" not in call("generate", "--p1", "0.52", "--p2", "25").stderr
