# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""stdin that is closed, does not wait, cannot be read, or is no text: the command says so."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from host.asking import next_index
from host.running import Finished, assert_refused, command_line, environment, run, run_redirected
from support.emulate_process import PATIENCE

pytest.importorskip("termios", reason="this system has no shell that closes a stream")


@pytest.mark.parametrize("redirection", ["<&-", "0>/dev/null"])  # nohup uses the latter
@pytest.mark.parametrize("command", [["encrypt", "-", "-o", "-"], ["decrypt", "-", "-o", "-"], ["bind"]], ids=" ".join)
def test_missing_stdin(redirection: str, command: list[str], network_file: Path, tmp_path: Path) -> None:
    port = f"emulator:{tmp_path / 'alice'}"
    assert run("provision", network_file, "--unit", port).status == 0
    finished = run_redirected(redirection, *command, "--unit", port)
    assert_refused(finished, "FILE", 1)
    assert "stdin is closed" in finished.stderr


def test_nobody_to_be_asked_whether_to_erase(alice: str) -> None:
    assert_refused(run_redirected("<&-", "zeroize", "--unit", alice), "USAGE", 2)
    assert next_index(alice) == 1


@pytest.mark.parametrize("command", [["encrypt", "-"], ["decrypt", "-"], ["bind", "--code", "-"]], ids=" ".join)
@pytest.mark.parametrize("begun", [b"", b"abandon abandon"])
def test_stdin_that_does_not_wait(command: list[str], begun: bytes, alice: str, desk: Path) -> None:
    """The error names the cause, and the partial input is not taken for the whole."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, begun)
    output = ["-o", desk / "out"] if command[0] != "bind" else []
    done = subprocess.run(
        command_line(*command, *output, "--unit", alice),
        stdin=reading,
        capture_output=True,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    os.close(reading)
    os.close(writing)
    finished = Finished(done.returncode, done.stdout, done.stderr.decode())
    assert_refused(finished, "FILE", 1)
    assert "non-blocking" in finished.stderr
    assert "permissions" not in finished.stderr
    assert list(desk.iterdir()) == []


def test_stdin_that_cannot_be_read(desk: Path, alice: str) -> None:
    finished = run_redirected("</proc/self/mem", "encrypt", "-", "-o", desk / "out", "--unit", alice)
    assert_refused(finished, "FILE", 1)
    assert "stdin cannot be read: " in finished.stderr


def test_words_at_a_terminal_that_does_not_wait(network_file: Path, tmp_path: Path) -> None:
    """Another program may have set O_NONBLOCK."""
    port = f"emulator:{tmp_path / 'alice'}"
    words = run("provision", network_file, "--unit", port).text.splitlines()[-1]
    master, slave = os.openpty()
    os.set_blocking(slave, False)
    command = command_line("bind", "--unit", port)
    with subprocess.Popen(command, stdin=slave, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stderr
        assert b"24 words" in process.stderr.readline()
        time.sleep(0.1)  # the command reads before any input is available
        os.write(master, f"{words}\n".encode())
        assert process.wait(PATIENCE) == 0, process.stderr.read()
    os.close(slave)
    os.close(master)


def test_stdin_that_is_no_text(alice: str) -> None:
    done = subprocess.run(
        command_line("bind", "--code", "-", "--unit", alice),
        input=b"\xff\xfe" * 24,
        capture_output=True,
        env=environment({"PYTHONIOENCODING": "utf-8"}),
        timeout=PATIENCE,
        check=False,
    )
    assert_refused(Finished(done.returncode, done.stdout, done.stderr.decode()), "USAGE", 2)
