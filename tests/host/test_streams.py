# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Streams that are closed, full or broken, or without letters for a name: the result is complete."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from host.asking import first_key, next_index
from host.running import Finished, assert_refused, command_line, environment, run, run_redirected
from support.emulate_process import PATIENCE, wait_until

import ndks

pytest.importorskip("termios", reason="this system has no shell that closes a stream")

LETTER = b"meet me at the old bridge"
LONG = 4_000_000  # bits: more than pipes and buffers hold
MUTE = ["2>&-", "2>&- <&-", "<&-", "2>/dev/full", "2</dev/null"]
every_mute = pytest.mark.parametrize("redirections", MUTE)


@contextmanager
def pipe_without_reader() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextmanager
def terminal_that_hung_up() -> Iterator[int]:
    master, slave = os.openpty()
    os.close(master)
    yield slave
    os.close(slave)


@contextmanager
def full_pipe_that_does_not_wait() -> Iterator[int]:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while os.write(writing, bytes(1 << 16)):
            pass
    yield writing
    os.close(reading)
    os.close(writing)


@every_mute
def test_key_is_all_of_stdout(redirections: str, alice: str) -> None:
    key = first_key(alice, 256)
    finished = run_redirected(redirections, "key", "--format", "raw", "--unit", alice)
    assert (finished.status, finished.output) == (0, key)
    assert next_index(alice) == 2


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("lead_to_nobody", [pipe_without_reader, terminal_that_hung_up, full_pipe_that_does_not_wait])
def test_nobody_reads_the_notes(lead_to_nobody: Callable[[], contextmanager], unbuffered: str, alice: str) -> None:
    key = first_key(alice, 256)
    command = command_line("key", "--format", "raw", "--verbose", "--unit", alice)
    with lead_to_nobody() as stderr:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": stderr}
        env = environment({"PYTHONUNBUFFERED": unbuffered})
        done = subprocess.run(command, env=env, timeout=PATIENCE, check=False, **pipes)
    assert (done.returncode, done.stdout) == (0, key)


@every_mute
def test_capsule_that_goes_to_stdout_opens(redirections: str, alice: str, bob: str, desk: Path) -> None:
    (desk / "letter").write_bytes(LETTER)
    finished = run_redirected(redirections, "encrypt", desk / "letter", "-o", "-", "--unit", alice)
    with ndks.open(bob) as unit:
        assert (finished.status, unit.unseal(finished.output)) == (0, LETTER)


@every_mute
def test_files_are_written(redirections: str, alice: str, bob: str, desk: Path) -> None:
    (desk / "letter").write_bytes(LETTER)
    commands = [
        ("encrypt", desk / "letter", "--unit", alice),
        ("decrypt", desk / "letter.ndks", "-o", desk / "came out", "--unit", bob),
        ("stream", "--bits", LONG, "-o", desk / "key", "--unit", alice),
        ("generate", "--p1", "0.52", "--p2", "25", "--bits", LONG, "-o", desk / "bits"),
    ]
    for command in commands:
        assert run_redirected(redirections, *command).status == 0, command
    assert (desk / "came out").read_bytes() == LETTER
    assert (desk / "key").stat().st_size == LONG / 8


@every_mute
@pytest.mark.parametrize(("command", "status"), [(["no-such-command"], 2), (["info", "--unit", "COM77"], 3)])
def test_exit_status_of_an_error_nobody_hears_of(redirections: str, command: list[str], status: int) -> None:
    finished = run_redirected(redirections, *command)
    assert (finished.status, finished.output) == (status, b"")


def test_processes_that_a_command_starts_have_all_streams() -> None:
    """Without them, the first files opened by both sides would get the same descriptor."""
    demo = subprocess.run(
        ["sh", "-c", '"$@" <&- 2>&-', "sh", *command_line("demo", "--json")],
        stdout=subprocess.PIPE,
        env=environment(),
        timeout=8 * PATIENCE,  # several commands
        check=False,
    )
    values = json.loads(demo.stdout)
    assert (demo.returncode, values["held"]) == (0, True) if values["cage"] else (0, None)


def test_emulated_unit_without_any_stream(tmp_path: Path) -> None:
    """As for a daemon."""
    link = tmp_path / "alice.port"
    daemon = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command_line("emulate", tmp_path / "alice", "--link", link)]
    with subprocess.Popen(daemon, env=environment()) as process:
        try:
            wait_until(link.exists, "link of the emulated unit")
            assert run("info", "--unit", link).status == 0
        finally:
            process.terminate()
    assert process.returncode == 0
    assert not os.path.lexists(link)


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "ascii:strict"},
    ],
    ids=str,
)
def test_names_that_stdout_and_stderr_have_no_letters_for(locale: dict[str, str], alice: str, desk: Path) -> None:
    name = os.fsencode(desk) + "/süß".encode() + b"\xff"
    command = [*command_line("key", "--index", 1, "--unit", alice, "-o"), name]
    for options, status in ((["--force"], 0), (["--force", "--json"], 0), ([], 1)):
        done = subprocess.run(
            [*command, *options], capture_output=True, env=environment(locale), timeout=PATIENCE, check=False
        )
        assert (done.returncode, b"Traceback" in done.stderr) == (status, False), done.stderr
        if options == ["--force"]:
            assert done.stdout.startswith(name + b": ")
        elif status == 0:
            assert os.fsencode(json.loads(done.stdout)["file"]) == name
    finished = Finished(done.returncode, done.stdout, done.stderr.decode("ascii" if "LC_ALL" in locale else "utf-8"))
    assert_refused(finished, "FILE", 1)


def test_name_that_would_upset_a_terminal(desk: Path) -> None:
    """An error is one line, whatever it quotes."""
    finished = run("encrypt", desk / "a\nb\x1b[31m")
    assert_refused(finished, "FILE", 1)
    assert finished.stderr.count("\n") == 1
    assert r"a\nb\x1b[31m" in finished.stderr
