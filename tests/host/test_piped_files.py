# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""encrypt, decrypt and inspect without a FILE: pipes, redirections, terminals, and an output that is the input."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.letters import LETTER, letter
from host.running import Finished, assert_refused, command_line, environment, run_redirected, run_with_input
from support.emulate_process import PATIENCE
from unit.other_member import header_of, open_offline

import ndks

__all__ = ("letter",)

COMMANDS = ("encrypt", "decrypt", "inspect")


@pytest.fixture
def capsule(desk: Path, alice: str) -> Path:
    path = desk / "letter.ndks"
    with ndks.open(alice) as unit:
        path.write_bytes(unit.seal(LETTER))
    return path


@pytest.fixture
def terminal() -> Iterator[int]:
    """Yield the end of a terminal that a command gets."""
    master, slave = os.openpty()
    yield slave
    os.close(slave)
    os.close(master)


def run_with(streams: dict[str, Any], *arguments: object) -> Finished:
    """Run a command with these streams; its stderr is a pipe."""
    done = subprocess.run(
        command_line(*arguments), stderr=subprocess.PIPE, env=environment(), timeout=PATIENCE, check=False, **streams
    )
    return Finished(done.returncode, done.stdout or b"", done.stderr.decode())


def next_number(port: str, network: ndks.Network) -> int:
    with ndks.open(port) as unit:
        return header_of(network, unit.seal(b"")).number


def test_what_is_piped_in_goes_to_stdout(alice: str, bob: str, network: ndks.Network) -> None:
    sealed = run_with_input(LETTER, "encrypt", "--unit", alice)
    assert open_offline(network, sealed.output) == LETTER
    seen = run_with_input(sealed.output, "inspect", "--unit", bob)
    assert f"{len(LETTER)} bytes of data" in seen.text
    assert run_with_input(sealed.output, "decrypt", "--unit", bob).output == LETTER


def test_a_file_is_redirected(alice: str, bob: str, letter: Path, desk: Path) -> None:
    assert run_redirected(f"<{letter}", "encrypt", "-o", desk / "capsule", "--unit", alice).status == 0
    assert run_redirected(f"<{desk / 'capsule'}", "inspect").status == 0
    assert run_redirected(f"<{desk / 'capsule'}", "decrypt", "--unit", bob).output == LETTER


@pytest.mark.parametrize("command", COMMANDS)
def test_a_terminal_is_no_message(command: str, alice: str, terminal: int) -> None:
    refused = run_with({"stdin": terminal, "stdout": subprocess.PIPE}, command, "--unit", alice)
    assert_refused(refused, "USAGE", 2)
    assert f"ndks {command} FILE" in refused.advice
    assert f"ndks {command} < FILE" in refused.advice


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("redirection", ["</dev/null", "<&-"])
def test_a_stdin_that_nobody_has_chosen_is_no_message(command: str, redirection: str, alice: str) -> None:
    assert_refused(run_redirected(redirection, command, "--unit", alice), "USAGE", 2)


@pytest.mark.parametrize("source", [[], ["-"]], ids=["none", "dash"])
def test_what_is_piped_in_does_not_go_to_a_terminal(
    source: list[str], alice: str, bob: str, capsule: Path, terminal: int, network: ndks.Network
) -> None:
    for command, unit in (("encrypt", alice), ("decrypt", bob)):
        with capsule.open("rb") as stdin:
            refused = run_with({"stdin": stdin, "stdout": terminal}, command, *source, "--unit", unit)
        assert_refused(refused, "USAGE", 2)
        assert "-o FILE" in refused.advice
    assert next_number(alice, network) == 2  # nothing was used up
    with ndks.open(bob) as unit:
        assert unit.inspect(capsule.read_bytes()).state == "new"
    with capsule.open("rb") as stdin:
        assert run_with({"stdin": stdin, "stdout": terminal}, "decrypt", "-o", "-", "--unit", bob).status == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_whose_name_looks_like_an_option(
    command: str, desk: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.chdir(desk)
    Path("-x.txt").write_bytes(LETTER)
    refused = call(command, "-x.txt")
    assert_refused(refused, "USAGE", 2)
    assert "write ./-x.txt" in refused.stderr


# --- the same file


@pytest.fixture
def other_names(desk: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return several names of one file."""
    monkeypatch.chdir(desk)
    Path("file.ndks").touch()
    Path("soft").symlink_to("file.ndks")
    Path("hard").hardlink_to("file.ndks")
    return ["file.ndks", "./file.ndks", str(desk / "file.ndks"), "../desk/file.ndks", "soft", "hard"]


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "force"])
@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_output_is_never_the_input(
    command: str, force: list[str], alice: str, bob: str, other_names: list[str], call: Call, network: ndks.Network
) -> None:
    with ndks.open(alice) as unit:
        content = unit.seal(LETTER)
    Path("file.ndks").write_bytes(content)
    for name in other_names:
        refused = call(command, "file.ndks", "-o", name, *force, "--unit", alice if command == "encrypt" else bob)
        assert_refused(refused, "FILE", 1)
        assert "are the same file" in refused.stderr
        assert "-o OTHER" in refused.advice
    assert Path("file.ndks").read_bytes() == content
    assert next_number(alice, network) == 2  # no number was used up
    with ndks.open(bob) as unit:
        assert unit.inspect(content).state == "new"


@pytest.mark.parametrize("redirection", ["<{0} >>{0}", "<{0} 1<>{0}"])
def test_stdout_is_never_the_input(redirection: str, alice: str, letter: Path) -> None:
    for arguments in (["encrypt"], ["encrypt", "-"], ["encrypt", letter, "-o", "-"]):
        refused = run_redirected(redirection.format(letter), *arguments, "--unit", alice)
        assert_refused(refused, "FILE", 1)
        assert "are the same file" in refused.stderr
    refused = run_redirected(f"<{letter}", "encrypt", "-o", letter, "--force", "--unit", alice)
    assert_refused(refused, "FILE", 1)
    assert letter.read_bytes() == LETTER


def test_streams_that_are_no_files_may_be_the_same(alice: str, terminal: int, network: ndks.Network) -> None:
    """A program started by inetd reads and writes the same socket."""
    import socket

    ours, theirs = socket.socketpair()
    with contextlib.closing(ours), contextlib.closing(theirs):
        ours.sendall(LETTER)
        ours.shutdown(socket.SHUT_WR)
        done = run_with({"stdin": theirs, "stdout": theirs}, "encrypt", "--unit", alice)
        theirs.close()
        assert (done.status, open_offline(network, ours.recv(1 << 16))) == (0, LETTER)


# --- a source that is not there


def test_a_missing_source_is_the_same_exception_as_any_other_file_error(alice: str, desk: Path, call: Call) -> None:
    with ndks.open(alice) as unit:
        before = unit.status().message_counter
        for source, target in (("missing", "out"), (".", "out"), (__file__, "missing/out")):
            with pytest.raises(ndks.FileError):
                unit.encrypt(desk / source, desk / target)
            with pytest.raises(ndks.FileError):
                unit.decrypt(desk / source, desk / target)
        with pytest.raises(ndks.FileError, match="there is no"), unit.taking_message(desk / "missing"):
            pass
        assert unit.status().message_counter == before
    for command in COMMANDS:
        refused = call(command, desk / "missing.ndks", "--unit", alice)
        assert_refused(refused, "FILE", 1)
        assert "there is no " in refused.stderr
    assert list(desk.iterdir()) == []
