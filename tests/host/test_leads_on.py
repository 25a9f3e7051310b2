# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is typed first, without having read anything: each answer names a next thing that works."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import assert_refused, environment
from support.emulate_process import PATIENCE

from ndks.laptop.bindings import HOME


@pytest.fixture(autouse=True)
def at_the_desk(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)


def test_the_first_try_of_the_help_line_by_line(desk: Path, tmp_path: Path, call: Call) -> None:
    block = call("--help").text.partition("a first try, without a board:\n")[2].partition("\n\n")[0]
    lines = [re.split("   +", line.strip())[0] for line in block.splitlines()]
    assert len(lines) == 8
    ndks = f'ndks() {{ {shlex.quote(sys.executable)} -m ndks "$@"; }}'
    settings = environment({HOME: str(tmp_path / "laptop")})
    typed = "\n".join([ndks, "set -e", *lines])
    done = subprocess.run(
        ["sh", "-c", typed], env=settings, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    key, same_key = re.findall(r"^[0-9a-f]{64}$", done.stdout, re.MULTILINE)
    assert key == same_key
    assert done.stdout.endswith("hello\n")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["--versoin"], "; did you mean --version?"),
        (["encrypt", "x", "--to", "bob"], "--to."),
        (["new"], "; did you mean network?"),
        (["prov"], "; did you mean provision?"),
        (["network", "create", "office"], "no command 'create' in ndks network; choose from new, show."),
        (["key", "--forma", "hex"], "; did you mean --format?"),
        (["encrypt", "--cipher", "vernan"], "'vernan' is not a choice; did you mean vernam?"),
        (["key", "alice"], "unexpected argument 'alice'; did you mean --unit emulator:alice?"),
        (["key", "emulator:bob"], "; did you mean --unit emulator:bob?"),
        (["key", "nobody"], "unexpected argument 'nobody'."),
        (["key", "1"], "; did you mean --index 1?"),
        (["decrypt", "x.ndks", "y.txt"], "; did you mean -o y.txt?"),
        (["encrypt", "--", "-notes.txt", "--unit", "x"], "after --, every word is a file: put --unit before --."),
        (["encrypt", "x", "-o", "-out.ndks"], "-out.ndks looks like an option: write -o ./-out.ndks."),
        (["provision", "x", "--label", "-a"], "-a looks like an option: write --label=-a."),
        (["completion"], "the following arguments are required: shell."),
    ],
)
def test_what_is_nearly_right(arguments: list[str], meant: str, desk: Path, call: Call) -> None:
    (desk / "alice").mkdir()
    (desk / "alice" / "uid").touch()
    finished = call(*arguments)
    assert_refused(finished, "USAGE", 2)
    assert f"{meant} Do: see ndks " in finished.stderr


@pytest.mark.parametrize("group", [[], ["network"], ["faraday"]])
def test_a_group_alone_in_json(group: list[str], call: Call) -> None:
    finished = call(*group, "--json")
    assert_refused(finished, "USAGE", 2)
    assert json.loads(finished.text)["error"]["message"] == "a command is missing"
    assert finished.stderr.startswith(call("help", *group).text)


def test_the_home_directory_in_any_path(
    alice: str, tmp_path: Path, desk: Path, network_file: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    bindings = os.environ[HOME]
    monkeypatch.setenv("HOME", str(tmp_path))
    key = ["key", "--index", 1, f"--output=~/{desk.name}/k", f"--log-file=~/{desk.name}/log"]
    assert call(*key, "--network=~/office.ndksnet").status == 0
    assert (desk / "k").exists()
    assert (desk / "log").exists()
    (tmp_path / "laptop").symlink_to(bindings)
    monkeypatch.setenv(HOME, "~/laptop")
    assert call("key", "--index", 1, "--unit", alice).status == 0


def test_a_file_that_exists_and_one_that_is_the_same(alice: str, call: Call, desk: Path) -> None:
    (desk / "letter.txt").write_text("hello")
    encrypt = ("encrypt", "letter.txt", "--unit", alice)
    assert call(*encrypt).status == 0
    exists = call(*encrypt)
    assert_refused(exists, "FILE", 1)
    assert "-o OTHER" in exists.advice
    same = call(*encrypt, "-o", "letter.txt", "--force")
    assert_refused(same, "FILE", 1)
    assert "-o OTHER" in same.advice
    assert call(*encrypt, "-o", "OTHER").status == 0


def test_completion_for_the_shell_of_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    finished = call("completion", "--install")
    path = tmp_path / "config" / "fish" / "completions" / "ndks.fish"
    assert finished.status == 0
    assert finished.text.startswith(f"{path} written; ")
    assert "complete" in path.read_text()
    monkeypatch.setenv("SHELL", "/bin/dash")
    assert_refused(call("completion", "--install"), "USAGE", 2)
