# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""SIGHUP, which a closed terminal sends: it ends a command as SIGTERM does, unless it was ignored at start."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from host.running import command_line, environment
from support.emulate_process import PATIENCE, allow_interrupts

import ndks

pytest.importorskip("termios", reason="this system has no terminals that hang up")

LETTER = b"meet me at the old bridge"
NOHUP = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"]


def encrypting(alice: str, target: Path, before: list[str]) -> subprocess.Popen[bytes]:
    """Start a command that waits for more stdin in the middle."""
    command = [*before, *command_line("encrypt", "-", "-o", target, "--unit", alice, "--cipher", "aes", "--verbose")]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment(), **pipes)
    assert process.stdin
    assert process.stderr
    process.stdin.write(LETTER)
    process.stdin.flush()
    while b"< STATUS" not in process.stderr.readline():
        assert process.poll() is None, "it ended before its middle"
    return process


def test_hangup_that_is_to_be_ignored(alice: str, bob: str, desk: Path) -> None:
    with encrypting(alice, desk / "capsule", NOHUP) as process:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.1)  # a signal would end it during this time
        _, stderr = process.communicate(LETTER, timeout=PATIENCE)
    assert process.returncode == 0, stderr
    with ndks.open(bob) as unit:
        assert unit.unseal((desk / "capsule").read_bytes()) == 2 * LETTER


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_ending_cleans_up(number: signal.Signals, alice: str, desk: Path) -> None:
    with encrypting(alice, desk / "capsule", []) as process:
        process.send_signal(number)
        stderr = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 128 + number
    assert b"Traceback" not in stderr
    assert list(desk.iterdir()) == []


def test_emulated_unit_that_is_hung_up_on_time_and_again(tmp_path: Path) -> None:
    """A shell that exits sends a second SIGHUP, which must not interrupt the removal of link and socket."""
    allow_interrupts()
    link, socket = tmp_path / "alice.port", tmp_path / "alice.ctl"
    command = command_line("emulate", tmp_path / "alice", "--link", link, "--control", socket)
    master, slave = os.openpty()
    pipes = {"stdin": slave, "stdout": slave, "stderr": slave}
    with subprocess.Popen(command, env=environment(), **pipes) as process:
        os.close(slave)
        said = b""
        while b"alice.port" not in said:  # its port, which it prints last; a read may end within it
            said += os.read(master, 1000)
        os.close(master)  # its output now fails
        for _ in range(20):
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert not os.path.lexists(link)
    assert not os.path.lexists(socket)


def test_emulated_unit_that_is_to_ignore_hangups(tmp_path: Path) -> None:
    link = tmp_path / "alice.port"
    command = [*NOHUP, *command_line("emulate", tmp_path / "alice", "--link", link)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == f"{link}\n".encode()
        process.send_signal(signal.SIGHUP)
        with ndks.open(str(link)) as unit:
            assert unit.hello.state == "blank"
        process.terminate()
        assert process.wait(PATIENCE) == 0
