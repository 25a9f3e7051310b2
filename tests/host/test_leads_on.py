# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is typed first, without having read anything: each answer names a next thing that works."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import assert_refused, command_line, environment, run_at_terminal, run_with_input
from support.emulate_process import PATIENCE, allow_interrupts

import ndks
from ndks.laptop.homes import HOME

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")


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
        ["sh", "-c", typed], env=settings, capture_output=True, text=True, timeout=8 * PATIENCE, check=False
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
        (
            ["network", "make", "office"],
            "no command 'make' in ndks network; choose from new, status, show, another, revoke, retire, refresh, "
            "merge, upgrade, publish, renew.",
        ),
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
        (["tunnel", "stauts"], "there is no command 'stauts' in ndks tunnel; did you mean status?"),
        (["tunnel", "--json", "forgt", "web", "--yes"], "no command 'forgt' in ndks tunnel; did you mean forget?"),
        (["completion"], "the following arguments are required: shell; choose from bash, zsh, tcsh, fish, powershell."),
    ],
)
def test_what_is_nearly_right(arguments: list[str], meant: str, desk: Path, call: Call) -> None:
    (desk / "alice").mkdir()
    (desk / "alice" / "nvm.bin").touch()
    finished = call(*arguments)
    assert_refused(finished, "USAGE", 2)
    assert f"{meant} Do: see ndks " in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["web"], "a tunnel needs two addresses."),
        (["statue", "--listen", "8000"], "one of the two addresses is missing."),
        (["statue", "--listen=8000", "--to=80"], "--listen and --connect are for one end"),
    ],
)
def test_tunnel_may_have_a_name_like_that_of_a_command(arguments: list[str], what: str, call: Call) -> None:
    finished = call("tunnel", *arguments)
    assert_refused(finished, "USAGE", 2)
    assert what in finished.stderr


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


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("emulator:", "emulator: lacks the name of a directory"),
        ("socket://127.0.0.1", "socket://127.0.0.1 must name a host and a TCP port"),
        ("socket://:7000", "socket://:7000 must name a host and a TCP port"),
        ("socket://nobody.invalid:7000", "there is no host nobody.invalid"),
    ],
)
def test_a_unit_whose_name_lacks_something(unit: str, message: str, call: Call) -> None:
    finished = call("key", "--unit", unit)
    assert_refused(finished, "USAGE", 2)
    assert message in finished.stderr


def test_no_directory_is_made_but_that_of_the_unit(desk: Path, network_file: Path, call: Call) -> None:
    provision = ("provision", network_file, "--bind", "--unit", "emulator:no/x/alice")
    refused = call(*provision)
    assert_refused(refused, "NO_UNIT", 3)
    assert list(desk.iterdir()) == []
    subprocess.run(refused.advice.partition(": ")[2], shell=True, check=True)
    assert call(*provision).status == 0


def test_the_name_of_a_network_file_as_the_name_of_a_network(desk: Path, call: Call) -> None:
    assert call("network", "new", "office2.ndksnet").text.startswith("office2.ndksnet holds network office2, ")
    assert [path.name for path in desk.iterdir()] == ["office2.ndksnet"]


def test_too_few_words_and_enter(network_file: Path, call: Call) -> None:
    bind = ("bind", "--unit", "emulator:alice")
    words = call("provision", network_file, *bind[1:]).text.splitlines()[-1].split()
    parts = [" ".join(words[:3]), "", " ".join(words[3:])]
    finished = run_at_terminal("".join(f"{part}\n" for part in parts).encode(), *bind)
    assert finished.status == 0
    assert finished.stderr.count("ndks: 3 of 24 words; go on, or Ctrl-D to stop\n") == 2


@pytest.mark.parametrize("answer", ["y", "n"])
def test_an_answer_that_is_not_yes(answer: str, alice: str, call: Call) -> None:
    declined = run_at_terminal(f"{answer}\n".encode(), "zeroize", "--unit", alice)
    assert_refused(declined, "DECLINED", 1)
    assert ("'y' is not yes: nothing was changed. Do: type yes in full, or add --yes" in declined.stderr) == (
        answer == "y"
    )
    assert call("key", "--index", 1, "--unit", alice).status == 0


def test_what_is_not_a_serial_number(call: Call) -> None:
    refused = call("bind", "--forget", "zz")
    assert_refused(refused, "USAGE", 2)
    assert "a serial number has 16 hexadecimal digits" in refused.stderr


def test_a_backup_comes_before_force(desk: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME, str(desk / "home"))
    ndks.BindingStore().prepare()
    words = call("bind", "--backup", "home.sealed").text.splitlines()[-1]
    refused = run_with_input(words.encode(), "bind", "--restore", "home.sealed", **{HOME: os.environ[HOME]})
    assert_refused(refused, "FILE", 1)
    assert "ndks bind --backup FILE; then repeat with --force" in refused.advice


def test_a_raw_key_for_a_terminal_is_refused_at_once(alice: str) -> None:
    finished = at_terminal("key", "--format", "raw", "--unit", alice)
    assert finished.startswith("ndks: USAGE: raw bytes")


@pytest.mark.parametrize("gap", [0.0, 0.003, 0.02])
def test_ctrl_c_several_times(gap: float, network_file: Path, call: Call) -> None:
    """The first one ends the command; what comes afterwards finds it ending, or ended."""
    assert call("provision", network_file, "--unit", "emulator:alice").status == 0
    allow_interrupts()
    master, slave = pty.openpty()
    command = command_line("bind", "--unit", "emulator:alice")
    pipes = {"stdin": slave, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(), **pipes) as process:
        assert process.stderr
        assert b"24 words" in process.stderr.readline()
        for _ in range(20):
            process.send_signal(signal.SIGINT)
            time.sleep(gap)
        _, stderr = process.communicate(timeout=PATIENCE)
    os.close(master)
    os.close(slave)
    assert process.returncode == 130
    assert stderr.decode().splitlines() == [
        "ndks: INTERRUPTED: stopped by Ctrl-C. Do: the same command starts again from the beginning."
    ]


def at_terminal(*arguments: object) -> str:
    """Return what a command shows on a terminal."""
    master, slave = pty.openpty()
    pipes = {"stdin": slave, "stdout": slave, "stderr": slave}
    subprocess.run(command_line(*arguments), env=environment(), timeout=PATIENCE, check=False, **pipes)
    os.close(slave)
    shown = os.read(master, 10_000).decode()
    os.close(master)
    return shown
