# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""stdout that is closed, full or does not wait: nothing is used up untold, and nothing is lost."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from host.asking import next_index
from host.running import Finished, assert_refused, command_line, environment, run, run_redirected
from support.emulate_process import PATIENCE

import ndks

pytest.importorskip("termios", reason="this system has no shell that closes a stream")

LETTER = b"meet me at the old bridge"
LONG = 4_000_000  # bits: more than pipes and buffers hold


@pytest.mark.parametrize("redirection", [">&-", "1</dev/null"])
@pytest.mark.parametrize(
    "command",
    [
        ["key"],
        ["key", "--json", "-o", "new"],
        ["stream", "--bits", "8", "-o", "-"],
        ["encrypt", "letter", "-o", "-"],
        ["decrypt", "capsule", "-o", "-"],
        ["bind", "--backup", "new"],
        ["provision", "office.ndksnet", "--unit", "emulator:new"],
        ["emulate", "new"],
        ["--help"],
        ["key", "--help"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_missing_stdout_is_told_before_anything_is_used_up(
    redirection: str, command: list[str], alice: str, bob: str, network_file: Path, desk: Path
) -> None:
    (desk / "letter").write_bytes(LETTER)
    with ndks.open(bob) as unit:
        (desk / "capsule").write_bytes(unit.seal(LETTER))
    before = (sorted(path.name for path in network_file.parent.iterdir()), network_file.read_bytes())
    script = f'cd "$1"; shift; "$@" {redirection}'
    words = [str(network_file) if word == network_file.name else word for word in command]
    done = subprocess.run(
        ["sh", "-c", script, "sh", desk, *command_line(*words)],
        capture_output=True,
        env=environment({"NDKS_UNIT": alice}),
        timeout=PATIENCE,
        check=False,
    )
    finished = Finished(done.returncode, done.stdout, done.stderr.decode())
    assert_refused(finished, "FILE", 1)
    assert "stdout is closed" in finished.stderr
    assert "key 1" not in finished.stderr
    assert sorted(path.name for path in desk.iterdir()) == ["capsule", "letter"]
    assert (sorted(path.name for path in network_file.parent.iterdir()), network_file.read_bytes()) == before
    with ndks.open(alice) as unit:
        assert unit.status().message_counter == 0
        assert unit.next_index() == (0, 1)


def test_what_needs_no_stdout_is_done_without(alice: str, bob: str, network_file: Path, desk: Path) -> None:
    (desk / "letter").write_bytes(LETTER)
    commands = [
        ("key", "-o", desk / "key", "--unit", alice),
        ("stream", "--bits", 8, "-o", desk / "stream", "--unit", alice),
        ("encrypt", desk / "letter", "--unit", alice),
        ("decrypt", desk / "letter.ndks", "-o", desk / "came out", "--unit", bob),
        ("generate", "--p1", "0.52", "--p2", "25", "-o", desk / "bits"),
        ("network", "new", "home", "-o", desk / "home.ndksnet"),
        ("provision", desk / "home.ndksnet", "--bind", "--unit", f"emulator:{desk / 'unit'}"),
        ("trust", 2, "0", "--unit", alice),
        ("bind", "--unit", alice),
        ("eject", "--unit", alice),
        ("zeroize", "--yes", "--unit", bob),
    ]
    for command in commands:
        finished = run_redirected(">&-", *command)
        assert (finished.status, "Do:" in finished.stderr) == (0, False), (command, finished.stderr)
    assert next_index(alice) == 3
    assert (desk / "came out").read_bytes() == LETTER
    assert ndks.Network.load(desk / "home.ndksnet").members[0].binding_id != "00" * 16


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


@needs_full
@pytest.mark.parametrize("command", [["key"], ["stream", "--bits", "8"]], ids=" ".join)
def test_key_in_a_file_is_used_up_though_nobody_could_be_told(command: list[str], alice: str, desk: Path) -> None:
    finished = run_redirected(">/dev/full", *command, "-o", desk / "key", "--unit", alice)
    assert_refused(finished, "FILE", 1)
    assert "the command is done" in finished.stderr
    assert next_index(alice) == 2


@needs_full
def test_transport_code_that_stdout_does_not_take(network_file: Path, tmp_path: Path) -> None:
    """There is no other copy, and the unit could only be erased."""
    port = f"emulator:{tmp_path / 'alice'}"
    finished = run_redirected(">/dev/full", "provision", network_file, "--unit", port)
    assert_refused(finished, "FILE", 1)
    words = finished.stderr.splitlines()[-2].rpartition(": ")[2]
    done = subprocess.run(
        command_line("bind", "--unit", port),
        input=words.encode(),
        capture_output=True,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@needs_full
def test_copy_of_bindings_whose_words_stdout_does_not_take(alice: str, desk: Path) -> None:
    """The copy could never be opened."""
    (desk / "home.sealed").write_text("the copy before")
    assert_refused(run_redirected(">/dev/full", "bind", "--backup", desk / "home.sealed", "--force"), "FILE", 1)
    assert (desk / "home.sealed").read_text() == "the copy before"
    assert [path.name for path in desk.iterdir()] == ["home.sealed"]


@needs_full
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_that_stdout_does_not_take(option: str, unbuffered: str) -> None:
    finished = run_redirected(">/dev/full", option, PYTHONUNBUFFERED=unbuffered)
    assert_refused(finished, "FILE", 1)
    assert "free some space" in finished.advice


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_stdout_that_does_not_wait(unbuffered: str, alice: str) -> None:
    """The command writes what fits, and the rest when there is room."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    command = command_line("generate", "--p1", "0.52", "--p2", "25", "--bits", LONG, "--format", "raw")
    env = environment({"PYTHONUNBUFFERED": unbuffered})
    with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE, env=env) as process:
        os.close(writing)
        time.sleep(0.3)  # it is full by now
        with os.fdopen(reading, "rb") as pipe:
            received = pipe.read()
        assert process.wait(PATIENCE) == 0
    assert len(received) == LONG / 8
    whole = run("generate", "--p1", "0.52", "--p2", "25", "--bits", LONG, "--format", "raw")
    assert received == whole.output
