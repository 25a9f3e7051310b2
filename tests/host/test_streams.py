# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""stdin, stdout and stderr that are closed, full or broken: the result is complete, and nothing is lost."""

import json
import os
import subprocess
import time
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
SALT = "5f1d3c0e9a7b42688d0f1e2d3c4b5a69"
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


# --- stdin


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


# --- stdout


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


# --- names and locales


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
