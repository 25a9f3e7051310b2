# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks key`: formats, the next index, and stdout."""

import base64
import json
import subprocess
from pathlib import Path

import pytest
from host.asking import next_index
from host.conftest import Call, MakeUnit
from host.running import Finished, assert_refused, command_line, environment, run
from support.emulate_process import PATIENCE

import ndks
from ndks_protocol.commands import MAX_JUMP


def key(port: str, *options: object) -> Finished:
    return run("key", "--unit", port, *options)


@pytest.mark.parametrize("bits", [1, 7, 8, 13, 255, 256, 8192, 8195])
def test_formats_agree(alice: str, call: Call, bits: int) -> None:
    options = ("key", "--unit", alice, "--index", 5, "--bits", bits, "--format")
    raw = call(*options, "raw").output
    assert len(raw) == (bits + 7) // 8
    assert raw[-1] & ((1 << -bits % 8) - 1) == 0
    assert call(*options, "hex").output == raw.hex().encode() + b"\n"
    assert call(*options, "base64").output == base64.b64encode(raw) + b"\n"
    assert call(*options, "bits").output == f"{int.from_bytes(raw):0{8 * len(raw)}b}"[:bits].encode() + b"\n"


def test_shorter_key_is_the_beginning_of_a_longer_one(alice: str, call: Call) -> None:
    options = ("key", "--unit", alice, "--index", 5, "--format", "bits", "--bits")
    longest = call(*options, 100).text.strip()
    for bits in (1, 8, 99):
        assert call(*options, bits).text.strip() == longest[:bits]


def test_stdout_carries_the_key_only(alice: str) -> None:
    finished = key(alice)
    assert len(bytes.fromhex(finished.text)) == 32
    assert len(finished.text) == 65
    assert finished.stderr == "ndks: key 1 of epoch 0, 256 bits, suite hybrid\n"


@pytest.mark.parametrize("form", ["hex", "bits", "base64"])
def test_json_is_one_object(alice: str, form: str) -> None:
    values = json.loads(key(alice, "--index", 3, "--bits", 12, "--format", form, "--json").text)
    text = key(alice, "--index", 3, "--bits", 12, "--format", form).text.strip()
    assert values.pop("key") == text
    assert values == {"schema": 1, "index": 3, "epoch": 0, "bits": 12, "suite": "hybrid", "format": form}


def test_json_has_no_key_when_a_file_has_it(alice: str, tmp_path: Path) -> None:
    file = tmp_path / "key.hex"
    values = json.loads(key(alice, "--json", "-o", file).text)
    assert "key" not in values
    assert (values["schema"], values["file"]) == (1, str(file))
    assert file.read_text() not in str(values)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes() == key(alice, "--index", 1).output


def test_raw_does_not_go_into_json_without_a_file(alice: str) -> None:
    assert_refused(key(alice, "--json", "--format", "raw"), "USAGE", 2)
    assert next_index(alice) == 1


def test_dash_is_stdout(alice: str, tmp_path: Path) -> None:
    assert key(alice, "--index", 1, "-o", "-").output == key(alice, "--index", 1).output


def test_existing_file_is_kept_and_no_key_is_used_up(alice: str, tmp_path: Path) -> None:
    file = tmp_path / "key.hex"
    file.write_text("mine")
    finished = key(alice, "-o", file)
    assert_refused(finished, "FILE", 1)
    assert "--force" in finished.advice
    assert file.read_text() == "mine"
    assert next_index(alice) == 1
    file.chmod(0o644)
    assert key(alice, "-o", file, "--force").status == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert next_index(alice) == 2


def test_directory_that_is_missing(alice: str, tmp_path: Path) -> None:
    assert_refused(key(alice, "-o", tmp_path / "none" / "key.hex"), "FILE", 1)
    assert next_index(alice) == 1


def test_next_key_is_used_up_and_a_named_one_is_not(alice: str) -> None:
    first = key(alice).output
    assert key(alice, "--index", 1).output == first
    assert key(alice, "--index", 2).output != first
    assert next_index(alice) == 2


def test_advance_goes_on_after_the_named_key(alice: str) -> None:
    key(alice, "--index", 7, "--advance")
    assert next_index(alice) == 8
    key(alice, "--index", 3, "--advance")  # the index never decreases
    assert next_index(alice) == 8


def test_leave_allows_a_far_jump(alice: str) -> None:
    far = 2 + MAX_JUMP
    finished = key(alice, "--index", far, "--advance")
    assert (finished.error_code, finished.status) == ("TOO_FAR", 4)
    assert "--allow-jump" in finished.advice
    assert next_index(alice) == 1
    assert key(alice, "--index", far - 1, "--advance").status == 0
    assert key(alice, "--index", 1 << 46, "--advance", "--allow-jump").status == 0
    assert next_index(alice) == (1 << 46) + 1


def test_last_index_of_all(alice: str) -> None:
    assert key(alice, "--index", (1 << 47) - 1, "--advance", "--allow-jump").status == 0
    assert_refused(key(alice), "RANGE", 4)


@pytest.mark.parametrize("command", ["key", "stream"])
def test_keys_that_are_only_read(alice: str, call: Call, tmp_path: Path, command: str) -> None:
    options = ("--unit", alice, "--bits", 8, "-o", tmp_path / "out", "--index", 1 << 47)
    refused = call(command, *options, "--advance", "--allow-jump")
    assert_refused(refused, "RANGE", 4)
    assert "without --advance" in refused.advice
    assert list(tmp_path.glob("out*")) == []
    assert call(command, *options).status == 0
    assert next_index(alice) == 1


@pytest.mark.parametrize("options", [["--advance"], ["--allow-jump"], ["--index", "3", "--allow-jump"]])
def test_options_that_make_no_sense_together(alice: str, options: list[str]) -> None:
    assert_refused(key(alice, *options), "USAGE", 2)
    assert next_index(alice) == 1


def test_two_units_stay_in_step(alice: str, make_unit: MakeUnit) -> None:
    bob = make_unit("bob")
    for bits in (128, 256, 1000):
        assert key(alice, "--bits", bits).output == key(bob, "--bits", bits).output
    key(alice, "--index", 9)
    assert next_index(alice) == next_index(bob) == 4


@pytest.mark.parametrize("command", [["key"], ["stream", "--bits", "8", "-o", "FILE"], ["info"]], ids=" ".join)
def test_suite_paper_is_warned_of_each_time(command: list[str], call: Call, tmp_path: Path) -> None:
    port = f"emulator:{tmp_path / 'lecture'}"
    with ndks.open(port, create=True) as unit:
        unit.bind(unit.provision(ndks.Network.new("lecture", suite="paper"), 1))
    arguments = [str(tmp_path / "out") if word == "FILE" else word for word in command]
    finished = call(*arguments, "--unit", port, "--json")
    assert finished.stderr.count("WARNING: suite paper") == 1
    assert "suite paper" in json.loads(finished.text)["warning"]


def test_unit_is_taken_from_the_environment(alice: str) -> None:
    assert run("key", "--index", 1, NDKS_UNIT=alice).output == key(alice, "--index", 1).output
    assert run("key", "--index", 1, "--unit", alice, NDKS_UNIT="emulator:/proc/none").status == 0


def test_closed_stdout_is_an_error_and_no_key_is_used_up(alice: str) -> None:
    command = ["sh", "-c", '"$@" >&-', "sh", *command_line("key", "--unit", alice)]
    done = subprocess.run(command, capture_output=True, env=environment(), timeout=PATIENCE, check=False)
    assert_refused(Finished(done.returncode, done.stdout, done.stderr.decode()), "FILE", 1)
    assert next_index(alice) == 1
