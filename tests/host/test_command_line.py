# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A command line that is nearly right: what was meant, where the help is, and the same as JSON."""

import json
import os
from pathlib import Path

import pytest
from host.conftest import Call, MakeUnit
from host.running import assert_refused, run, run_redirected

import ndks


@pytest.mark.parametrize(
    ("arguments", "meant", "help_of"),
    [
        (["ky"], "key", "ndks"),
        (["KEY"], "key", "ndks"),
        (["lst"], "list", "ndks"),
        (["network", "nwe"], "new", "ndks network"),
        (["key", "--idex", "3"], "--index", "ndks key"),
        (["key", "--idex=3"], "--index", "ndks key"),
        (["key", "--format", "hexx"], "hex", "ndks key"),
        (["--uint", "x", "key"], "--unit", "ndks"),
        (["network", "new", "office", "--suit", "paper"], "--suite", "ndks network new"),
        (["help", "encript"], "encrypt", "ndks"),
    ],
)
def test_what_was_meant(arguments: list[str], meant: str, help_of: str, call: Call) -> None:
    finished = call(*arguments)
    assert_refused(finished, "USAGE", 2)
    assert f"did you mean {meant}?" in finished.stderr.replace(" or ", "? ")
    assert f"see {help_of} --help" in finished.advice


def test_nothing_is_guessed_that_is_far_from_all(call: Call) -> None:
    finished = call("frobnicate")
    assert_refused(finished, "USAGE", 2)
    assert "did you mean" not in finished.stderr
    assert "choose from list, info" in finished.stderr


def test_a_file_whose_name_looks_like_an_option(desk: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.chdir(desk)
    Path("-x.txt").write_text("text")
    finished = call("encrypt", "-x.txt")
    assert_refused(finished, "USAGE", 2)
    assert "write ./-x.txt" in finished.stderr


def test_help_is_a_command(call: Call) -> None:
    assert call("help").text == call("--help").text
    assert call("help", "key").text == call("key", "--help").text
    assert call("help", "network", "new").text == call("network", "new", "--help").text
    assert json.loads(call("help", "key", "--json").text)["help"].startswith("usage: ndks key")


@pytest.mark.parametrize("group", [[], ["network"], ["faraday"]])
def test_a_group_alone_shows_its_help(group: list[str], call: Call) -> None:
    finished = call(*group)
    assert (finished.status, finished.output) == (2, b"")
    assert finished.stderr == call("help", *group).text


def test_version_is_a_command(call: Call) -> None:
    assert call("-V").text == call("--version").text == f"ndks {ndks.__version__}\n"
    values = json.loads(call("version", "--json").text)
    assert values["version"] == ndks.__version__
    assert call("version").text.startswith(f"ndks {ndks.__version__} (protocol {values['protocol']}, ")


def test_options_of_all_commands_may_stand_in_front(alice: str, call: Call) -> None:
    behind = call("key", "--index", 3, "--unit", alice, "--json", "--timeout", 9)
    in_front = call("--json", f"--unit={alice}", "--timeout", 9, "key", "--index", 3)
    assert behind.status == in_front.status == 0
    assert behind.text == in_front.text
    assert json.loads(in_front.text)["index"] == 3


def test_behind_the_command_counts_more(alice: str, call: Call) -> None:
    finished = call("--unit", "emulator:nowhere", "key", "--index", 1, "--unit", alice)
    assert finished.status == 0


@pytest.mark.parametrize("arguments", [["generate", "--p1", "1"], ["homologate", "-o", "report"], ["list"]])
def test_a_unit_in_front_of_a_command_that_takes_none(arguments: list[str], call: Call) -> None:
    assert_refused(call("--unit", "emulator:x", *arguments), "USAGE", 2)


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        (["key", "--json", "--bits", "0"], "USAGE", 2),
        (["--json", "ky"], "USAGE", 2),
        (["key", "--json", "--unit", "emulator:nowhere"], "NO_UNIT", 3),
        (["inspect", "--json", "nowhere.ndks"], "FILE", 1),
    ],
)
def test_errors_in_json(arguments: list[str], code: str, status: int, call: Call) -> None:
    finished = call(*arguments)
    assert_refused(finished, code, status)
    values = json.loads(finished.text)
    assert values["schema"] == 1
    assert values["error"].keys() == {"code", "message", "advice", "exit_status"}
    assert finished.advice == values["error"]["advice"].rstrip(".")


def test_no_error_in_json_without_stdout(alice: str) -> None:
    finished = run_redirected(">&-", "key", "--json", "--unit", alice)
    assert (finished.error_code, finished.status, finished.output) == ("FILE", 1, b"")


def test_a_log_file_gets_all_of_it(alice: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    quiet = run("--log-file", log, "key", "--index", 1, "--unit", alice)
    assert quiet.status == 0
    assert quiet.stderr.count("\n") == 1
    first = log.read_text()
    assert "HELLO" in first
    assert os.name != "posix" or log.stat().st_mode & 0o777 == 0o600
    assert quiet.text.strip() not in first
    assert run("key", "--index", 1, "--unit", alice, "--log-file", log).status == 0
    assert log.read_text().startswith(first)
    assert len(log.read_text()) > len(first)


def test_a_log_file_that_cannot_be_written(alice: str, tmp_path: Path) -> None:
    assert_refused(run("--log-file", tmp_path, "key", "--unit", alice), "FILE", 1)


def test_the_home_directory_is_short(
    make_unit: MakeUnit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    make_unit("alice")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert call("key", "--index", 1, "--unit=emulator:~/alice").status == 0
    monkeypatch.setenv("NDKS_UNIT", "emulator:~/alice")
    assert call("key", "--index", 1).status == 0
