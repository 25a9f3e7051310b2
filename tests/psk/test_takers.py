# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is done with a key, and what is said when a program does not take it: with stand-ins for these programs."""

import base64
import os
import resource
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE

from ndks.exceptions import FileError, NdksError
from ndks_gateways.psk import mosquitto, programs
from ndks_gateways.psk.consumer import ConsumerFailed
from ndks_gateways.psk.key_file import KeyFile
from ndks_gateways.psk.mosquitto import Mosquitto, by_command, by_pid_file
from ndks_gateways.psk.rotation import Given, Step
from ndks_gateways.psk.strongswan import StrongSwan
from ndks_gateways.psk.wireguard import WireGuard

KEY = bytes(range(32))
TEXT = base64.b64encode(KEY).decode()
GIVEN = Given(Step(0x10002, 7), KEY)
PEER = base64.b64encode(b"p" * 32).decode()
OTHER = base64.b64encode(b"o" * 32).decode()
_DUMP = (
    ("private", "public", "51820", "off"),
    (OTHER, "(none)", "192.0.2.9:51820", "10.0.0.9/32", "0", "0", "0", "off"),
    (PEER, TEXT, "[2001:db8::1]:51820", "10.0.0.1/32,fd00::1/128", "0", "0", "0", "25"),
)


@pytest.fixture
def programs_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of programs that is first on the path."""
    made = tmp_path / "bin"
    made.mkdir()
    monkeypatch.setenv("PATH", f"{made}:{os.environ['PATH']}")
    return made


def program(directory: Path, name: str, text: str) -> None:
    (directory / name).write_text(f"#!/bin/sh\n{text}\n")
    (directory / name).chmod(0o755)


def wg(directory: Path, *lines: tuple[str, ...], fails: str = "") -> Path:
    """Make a wg that shows a device; return the file to which it writes its words and its stdin."""
    said = directory / "said"
    (directory / "dump").write_text("".join("\t".join(line) + "\n" for line in lines))
    end = f"echo '{fails}' >&2; exit 1" if fails else "exit 0"
    program(directory, "wg", f'[ "$1" = show ] && exec cat {directory}/dump\n{{ echo "$@"; cat; }} > {said}\n{end}')
    return said


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Programs


def test_a_key_goes_through_stdin_only(programs_at: Path) -> None:
    program(programs_at, "taker", "tr '\\0' '\\n' < /proc/$$/cmdline; env; cat > /dev/null")
    assert b"secret" not in programs.run(("taker", "word"), b"secret")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exit 3", "taker has failed: exit status 3"),
        ("echo one >&2; echo two >&2; exit 1", "taker has failed: two"),
        ('echo "bad: $(cat)" >&2; exit 1', "taker has failed: exit status 1"),  # it repeats the key
    ],
)
def test_a_program_that_fails(programs_at: Path, text: str, said: str) -> None:
    program(programs_at, "taker", text)
    with pytest.raises(ConsumerFailed) as failed:
        programs.run(("taker",), b"secret\n")
    assert str(failed.value) == said
    assert failed.value.__cause__ is None


def test_a_program_that_repeats_a_key_of_which_the_end_is_kept(
    programs_at: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "_KEPT", 50)
    program(programs_at, "taker", 'printf "%s%047d" "$(cat)" 0 >&2; exit 1')
    with pytest.raises(ConsumerFailed) as failed:
        programs.run(("taker",), b"secret\n")
    assert str(failed.value) == "taker has failed: exit status 1"


def test_a_program_that_is_missing_or_does_not_end(programs_at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConsumerFailed, match="there is no program nowhere-to-be-found"):
        programs.run(("nowhere-to-be-found",))
    monkeypatch.setattr(programs, "_SECONDS", 0.1)
    program(programs_at, "taker", "exec sleep 60")
    with pytest.raises(ConsumerFailed, match="did not end"):
        programs.run(("taker",))


def test_of_what_a_program_writes_the_end_is_kept(programs_at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_SECONDS", 1.0)
    program(programs_at, "taker", "exec yes")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ConsumerFailed, match="did not end in time"):
        programs.run(("taker",))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KB; it writes some 1,000 MB
    monkeypatch.setattr(programs, "_SECONDS", 60)
    program(programs_at, "taker", "yes | head -c 5000000; echo last; echo why >&2")
    said = programs.run(("taker",))
    assert len(said) == 1 << 22
    assert said.endswith(b"y\nlast\n")


def test_a_program_that_reads_nothing(programs_at: Path) -> None:
    program(programs_at, "taker", "exec 0<&-; sleep 0.2; echo done")
    assert programs.run(("taker",), b"secret\n") == b"done\n"


def test_a_program_that_hangs_keeps_nobody_from_ending(programs_at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_GRACE", 0.5)
    program(programs_at, "taker", "exec sleep 60")
    timer = threading.Timer(0.5, programs.ending.set)
    timer.start()
    begun = time.monotonic()
    try:
        with pytest.raises(ConsumerFailed, match="did not end in time"):
            programs.run(("taker",))
    finally:
        timer.join()
        programs.ending.clear()
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("status", [0, 1])
def test_a_program_that_leaves_another_one_running_has_ended(programs_at: Path, status: int) -> None:
    """As a command that starts a server anew, which keeps the output of the command."""
    program(programs_at, "taker", f"sleep 20 & echo $! > {programs_at}/pid; echo done; echo why >&2; exit {status}")
    begun = time.monotonic()
    try:
        if status:
            with pytest.raises(ConsumerFailed, match="taker has failed: why"):
                programs.run(("taker",), b"secret\n")
        else:
            assert programs.run(("taker",)) == b"done\n"
    finally:
        os.kill(int((programs_at / "pid").read_text()), signal.SIGKILL)
    assert time.monotonic() - begun < 15


# WireGuard


def test_wireguard_gets_its_peer_back_with_all_settings(programs_at: Path) -> None:
    said = wg(programs_at, *_DUMP)
    device = WireGuard("wg0", PEER)
    device.give(GIVEN)
    words, key = said.read_text().splitlines()
    assert words.split() == [
        *("set", "wg0", "peer", PEER, "remove", "peer", PEER, "preshared-key", "/dev/stdin"),
        *("endpoint", "[2001:db8::1]:51820", "allowed-ips", "10.0.0.1/32,fd00::1/128", "persistent-keepalive", "25"),
    ]
    assert key == TEXT
    assert device.has(GIVEN)
    assert not WireGuard("wg0", OTHER).has(GIVEN)


def test_wireguard_without_endpoint(programs_at: Path) -> None:
    said = wg(programs_at, _DUMP[0], (PEER, "(none)", "(none)", "(none)", "0", "0", "0", "off"))
    WireGuard("wg0", PEER).give(GIVEN)
    assert said.read_text().splitlines()[0].endswith("preshared-key /dev/stdin")


def test_a_peer_that_is_not_there_is_not_made(programs_at: Path) -> None:
    said = wg(programs_at, *_DUMP[:2])
    with pytest.raises(ConsumerFailed, match=r"WireGuard device wg0 has no peer"):
        WireGuard("wg0", PEER).give(GIVEN)
    assert not said.exists()


def test_wg_that_fails(programs_at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wg(programs_at, *_DUMP, fails="Unable to modify interface: No such device")
    with pytest.raises(ConsumerFailed, match="wg has failed: Unable to modify interface"):
        WireGuard("wg0", PEER).give(GIVEN)
    monkeypatch.setenv("PATH", str(programs_at.parent))
    monkeypatch.setattr(programs, "_PATHS", "/nowhere")
    with pytest.raises(ConsumerFailed, match="there is no program wg"):
        WireGuard("wg0", PEER).give(GIVEN)


# Files


@pytest.mark.parametrize(
    ("form", "content"), [("raw", KEY), ("hex", KEY.hex().encode() + b"\n"), ("base64", TEXT.encode() + b"\n")]
)
def test_a_file_is_replaced(tmp_path: Path, form: str, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_text("former")
    former = path.stat().st_ino
    file = KeyFile(path, form, ())
    assert not file.has(GIVEN)
    file.give(GIVEN)
    assert (path.read_bytes(), mode(path), path.stat().st_ino != former) == (content, 0o600, True)
    assert file.has(GIVEN)
    assert [each.name for each in tmp_path.iterdir()] == ["key"]
    path.unlink()
    assert not file.has(GIVEN)


def test_the_command_is_told_number_and_path_and_no_key(tmp_path: Path) -> None:
    command = ("sh", "-c", 'env > "$1"', "sh", str(tmp_path / "told"))
    KeyFile(tmp_path / "key", "hex", command).give(GIVEN)
    told = (tmp_path / "told").read_text()
    assert "NDKS_NUMBER=7\n" in told
    assert f"NDKS_PATH={tmp_path}/key\n" in told
    assert KEY.hex() not in told


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConsumerFailed, match="sh has failed: no such service"):
        KeyFile(tmp_path / "key", "raw", ("sh", "-c", "echo no such service >&2; exit 1")).give(GIVEN)


# Mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process with the broker's name, which ends by SIGHUP."""
    (tmp_path / "mosquitto").symlink_to("/bin/sleep")
    with subprocess.Popen([tmp_path / "mosquitto", "60"]) as process:
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        try:
            yield process
        finally:
            process.kill()


def psk_file(tmp_path: Path, text: str = "site2:00\nsite11:11\nsite1:22\n") -> Path:
    path = tmp_path / "psk"
    path.touch(0o600)
    path.write_text(text)
    return path


def test_the_line_of_the_identity_is_replaced_and_the_broker_told(
    tmp_path: Path, broker: "subprocess.Popen[bytes]"
) -> None:
    path = psk_file(tmp_path)
    taker = Mosquitto(path, "site1", by_pid_file(tmp_path / "pid"))
    assert not taker.has(GIVEN)
    taker.give(GIVEN)
    assert path.read_text() == f"site2:00\nsite11:11\nsite1:{KEY.hex()}\n"
    assert mode(path) == 0o600
    assert broker.wait(PATIENCE) == -signal.SIGHUP
    assert taker.has(GIVEN)


def test_a_psk_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "psk"
    Mosquitto(path, "site1", by_command(("true",))).give(GIVEN)
    assert (path.read_text(), mode(path)) == (f"site1:{KEY.hex()}\n", 0o600)


@pytest.mark.parametrize("pid", ["", "x", "-1", "0", "999999999", "own"])
def test_a_broker_that_does_not_run(tmp_path: Path, pid: str) -> None:
    """Nor is another process that has its number by now."""
    (tmp_path / "pid").write_text(str(os.getpid()) if pid == "own" else pid)
    with pytest.raises(ConsumerFailed) as failed:
        Mosquitto(psk_file(tmp_path), "site1", by_pid_file(tmp_path / "pid")).give(GIVEN)
    assert str(tmp_path / "pid") in str(failed.value)
    with pytest.raises(ConsumerFailed, match="cannot be read"):
        Mosquitto(psk_file(tmp_path), "site1", by_pid_file(tmp_path / "nowhere")).give(GIVEN)


def test_a_broker_of_another_user(
    tmp_path: Path, broker: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(mosquitto.os, "kill", refuse)
    with pytest.raises(ConsumerFailed, match="SIGHUP cannot be sent"):
        Mosquitto(psk_file(tmp_path), "site1", by_pid_file(tmp_path / "pid")).give(GIVEN)
    monkeypatch.setattr(programs, "_SECONDS", 60)


def test_a_psk_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = psk_file(tmp_path)
    path.chmod(0o644)
    with pytest.raises(FileError, match="others may read"):
        Mosquitto(path, "site1", by_command(("true",))).give(GIVEN)


# strongSwan


def test_charon_that_does_not_run(tmp_path: Path) -> None:
    pytest.importorskip("vici")
    taker = StrongSwan(f"unix://{tmp_path}/vici", "gw", tmp_path / "swanctl.conf", "office")
    for call in (taker.give, taker.has):
        with pytest.raises(ConsumerFailed, match="charon does not answer at unix://") as failed:
            call(GIVEN)
        assert KEY.hex() not in f"{failed.value}{failed.value.advice}"


def test_all_failures_have_a_code_and_an_exit_status() -> None:
    assert issubclass(ConsumerFailed, NdksError)
    assert (ConsumerFailed.code, ConsumerFailed.exit_status) == ("CONSUMER", 1)
