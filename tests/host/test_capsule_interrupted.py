# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Interrupted sealing and opening: no partial file stays, no message is lost, no number is issued twice."""

import functools
import random
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import Finished, assert_refused, command_line, environment, finish, run, start_and_reach
from host.watched_line import CutLine, wrap_lines
from support.emulate_process import PATIENCE, EmulateProcess, allow_interrupts, emulated
from unit.other_member import OtherMember, header_of, open_offline

import ndks
from ndks_protocol import commands

pytest.importorskip("termios", reason="this system has no pseudo-terminals")

LETTER = b"meet me at the old bridge"
LONG = {
    "aes": random.Random(1).randbytes(400_000),  # more than it processes before --verbose fills a pipe
    "vernam": random.Random(2).randbytes(200_000),
}

# Mode a with cipher aes sends no request in the middle; a stalled stdin below covers this case.
WORK = [
    ("encrypt", "b", "aes", "SEAL_CHUNK"),
    ("encrypt", "a", "vernam", "MESSAGE_STREAM"),
    ("decrypt", "b", "aes", "OPEN_CHUNK"),
    ("decrypt", "a", "vernam", "MESSAGE_STREAM"),
]
in_all_ways = pytest.mark.parametrize(("command", "mode", "cipher", "request_name"), WORK)
in_mode_b = pytest.mark.parametrize(("command", "mode", "cipher", "request_name"), WORK[::2])


@dataclass
class Running:
    """A long command and its files. `port` is stable while the port of the unit changes."""

    desk: Path
    port: Path
    network: ndks.Network
    command: str
    mode: str
    cipher: str

    def prepare(self) -> None:
        self.source.write_bytes(
            long_capsule(self.network, self.cipher) if self.command == "decrypt" else LONG[self.cipher]
        )

    @property
    def source(self) -> Path:
        return self.desk / ("film.ndks" if self.command == "decrypt" else "film")

    @property
    def target(self) -> Path:
        return self.desk / ("film" if self.command == "decrypt" else "film.ndks")

    @property
    def arguments(self) -> list[object]:
        cipher = ["--cipher", self.cipher] if self.command == "encrypt" else []
        return [self.command, self.source, "--unit", self.port, "--mode", self.mode, *cipher]

    def plug_in(self, unit: EmulateProcess) -> None:
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(unit.port)

    def assert_nothing_is_left(self) -> None:
        assert [path.name for path in self.desk.iterdir()] == [self.source.name]

    def assert_done_by_repeating(self) -> None:
        if self.command == "encrypt":
            self.source.write_bytes(LETTER)  # the result is the same as for the long one, but faster
        finished = run(*self.arguments)
        assert finished.status == 0, finished.stderr
        if self.command == "encrypt":
            assert open_offline(self.network, self.target.read_bytes()) == LETTER
        else:
            assert self.target.read_bytes() == LONG[self.cipher]
            assert_refused(run(*self.arguments, "--force"), "DUPLICATE", 4)

    def next_number(self) -> int:
        """Seal a message, and return its number."""
        return header_of(self.network, seal(self.port)).number


@pytest.fixture
def running(command: str, mode: str, cipher: str, desk: Path, tmp_path: Path, network: ndks.Network) -> Running:
    running = Running(desk, tmp_path / "usb", network, command, mode, cipher)
    running.prepare()
    return running


@pytest.fixture
def directory(alice: str) -> Path:
    return Path(alice.removeprefix("emulator:"))


@functools.cache
def long_capsule(network: ndks.Network, cipher: str) -> bytes:
    """Return a capsule of the unit of lane 9."""
    return OtherMember(network, 9).seal(LONG[cipher], cipher)


def seal(port: object) -> bytes:
    with ndks.open(str(port)) as unit:
        return unit.seal(LETTER)


@in_all_ways
def test_killing(running: Running, directory: Path, request_name: str) -> None:
    assert end(running, directory, request_name, signal.SIGKILL).status == -signal.SIGKILL


@in_mode_b
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_terminating(running: Running, directory: Path, request_name: str, number: signal.Signals) -> None:
    finished = end(running, directory, request_name, number)
    assert finished.status == 128 + number
    assert "Traceback" not in finished.stderr


@in_mode_b
def test_control_c(running: Running, directory: Path, request_name: str) -> None:
    allow_interrupts()
    finished = end(running, directory, request_name, signal.SIGINT)
    assert_refused(finished, "INTERRUPTED", 130)
    assert "Traceback" not in finished.stderr


def end(running: Running, directory: Path, request_name: str, number: signal.Signals) -> Finished:
    """Interrupt a command in the middle, and check the state afterwards."""
    with emulated(directory) as unit:
        running.plug_in(unit)
        before = running.next_number()
        process = start_and_reach(request_name, *running.arguments)
        process.send_signal(number)
        finished = finish(process)
        assert finished.output == b""
        running.assert_nothing_is_left()
        used = 1 if running.command == "encrypt" else 0
        assert running.next_number() == before + used + 1
        running.assert_done_by_repeating()
    return finished


@in_all_ways
def test_unplugging(running: Running, directory: Path, request_name: str) -> None:
    with emulated(directory) as unit:
        running.plug_in(unit)
        before = running.next_number()
        process = start_and_reach(request_name, *running.arguments)
        unit.end(signal.SIGKILL)
        finished = finish(process)
    assert_refused(finished, "REMOVED", 6)
    assert "repeat" in finished.advice
    running.assert_nothing_is_left()
    with emulated(directory) as unit:
        running.plug_in(unit)
        used = 1 if running.command == "encrypt" else 0
        assert before + used < running.next_number() <= before + 64 + 1
        running.assert_done_by_repeating()


@in_mode_b
def test_unit_that_hangs(running: Running, directory: Path, request_name: str) -> None:
    with emulated(directory) as unit:
        running.plug_in(unit)
        process = start_and_reach(request_name, *running.arguments, "--timeout", 10)
        unit.process.send_signal(signal.SIGSTOP)
        finished = finish(process)
        unit.process.send_signal(signal.SIGCONT)
        assert_refused(finished, "TIMEOUT", 6)
        running.assert_nothing_is_left()
        running.assert_done_by_repeating()


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_killing_while_stdin_stops(
    command: str, number: signal.Signals, alice: str, desk: Path, network: ndks.Network
) -> None:
    data, cipher = (LONG["aes"], ["--cipher", "aes"]) if command == "encrypt" else (long_capsule(network, "aes"), [])
    arguments = (command, "-", "-o", desk / "out", "--unit", alice, "--mode", "a", *cipher)
    process = subprocess.Popen(command_line(*arguments), stdin=subprocess.PIPE, env=environment())
    assert process.stdin
    process.stdin.write(data[:300_000])  # more than a pipe holds, so the command has read a part when this returns
    process.stdin.flush()
    process.send_signal(number)
    process.wait(PATIENCE)
    process.stdin.close()
    assert list(desk.iterdir()) == []
    assert open_offline(network, seal(alice)) == LETTER


@pytest.mark.parametrize("mode", ["a", "b"])
@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_unplugging_between_storing_and_accepting(
    mode: str, heard: bool, alice: str, bob: str, call: Call, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / "letter.ndks").write_bytes(seal(alice))
    command = ("decrypt", desk / "letter.ndks", "--unit", bob, "--mode", mode)
    with monkeypatch.context() as cut:
        wrap_lines(cut, lambda line: CutLine(line, commands.ACCEPT, heard=heard))
        finished = call(*command)
    assert_refused(finished, "REMOVED", 6)
    assert "the message is stored" in finished.advice
    assert (desk / "letter").read_bytes() == LETTER
    again = call(*command, "--force")
    if heard:
        assert_refused(again, "DUPLICATE", 4)
    else:
        assert again.status == 0
        assert_refused(call(*command, "--force"), "DUPLICATE", 4)
    assert (desk / "letter").read_bytes() == LETTER


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_what_was_shown_may_be_shown_once_more(
    heard: bool, alice: str, bob: str, call: Call, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / "letter.ndks").write_bytes(seal(alice))
    with monkeypatch.context() as cut:
        wrap_lines(cut, lambda line: CutLine(line, commands.ACCEPT, heard=heard))
        finished = call("decrypt", desk / "letter.ndks", "--unit", bob, "-o", "-")
    assert (finished.error_code, finished.status, finished.output) == ("REMOVED", 6, LETTER)
    assert call("decrypt", desk / "letter.ndks", "--unit", bob, "-o", "-").status == (4 if heard else 0)
