# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks psk` as a process, with an emulated unit behind its service."""

import contextlib
import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.answers import complaints
from support.emulate_process import PATIENCE, allow_interrupts, emulated, wait_until
from support.forks import ndks_process, own_environment, run_ndks
from support.public_network import public_network
from support.serve_process import served

import ndks
from ndks.cli import fields

PEER = "cGVlcnBlZXJwZWVycGVlcnBlZXJwZWVycGVlcnBlZXI="


@pytest.fixture(scope="module")
def unit_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The port of an emulated unit that is bound to this laptop."""
    with emulated(tmp_path_factory.mktemp("unit") / "state") as unit:
        with ndks.open(unit.port) as opened:
            opened.bind(opened.provision(public_network(), 1))
        yield unit.port


@contextlib.contextmanager
def rotating(directory: Path, unit: str, *words: object, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """Run `ndks psk`; its stderr is in the file `log`."""
    allow_interrupts()
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True, "cwd": directory}
    with (
        (directory / "log").open("a") as errors,
        ndks_process(
            "psk",
            "office",
            "--unit",
            unit,
            "--json",
            *words,
            **pipes,
            stderr=errors,
            env=own_environment() | environment,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE)


def test_the_key_of_a_number(unit_port: str, tmp_path: Path) -> None:
    with served(unit_port) as service:
        words = ("psk", "office", "--unit", service.port("gate"), "--number", 7, "--file")
        said = run_ndks(*words, tmp_path / "raw", "--json", timeout=PATIENCE)
        answer = json.loads(said.stdout)
        assert answer.pop("schema") == 1
        assert list(complaints(answer, fields.fields_of(fields.ANSWERS["psk"]))) == []
        assert (answer["name"], answer["number"], answer["consumer"]) == ("office", 7, f"file {tmp_path}/raw")
        run_ndks(*words, tmp_path / "hex", "--hex", timeout=PATIENCE)
        key = (tmp_path / "raw").read_bytes()
        assert (tmp_path / "hex").read_text() == f"{key.hex()}\n"
        failed = run_ndks(*words, tmp_path / "raw", "--run", "false", "--json", timeout=PATIENCE)
        assert (failed.returncode, json.loads(failed.stdout)["error"]["code"]) == (1, "CONSUMER")
        logged = run_ndks(*words, tmp_path / "raw", "--verbose", timeout=PATIENCE)
        assert key.hex() not in logged.stderr + logged.stdout


def test_keys_follow_each_other_whatever_happens_to_the_service(unit_port: str, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(contextlib.ExitStack())
        gate = service.enter_context(served(unit_port)).port("gate")
        words = ("--file", "key", "--hex", "--every", "1s", "--run", "sh -c 'echo $NDKS_NUMBER >> numbers'")
        process = stack.enter_context(rotating(tmp_path, gate, *words))
        numbers = tmp_path / "numbers"
        wait_until(lambda: numbers.exists() and len(numbers.read_text().split()) > 1, "several keys")
        service.close()
        wait_until(
            lambda: "goes on when the unit can be used" in (tmp_path / "log").read_text(), "it says what is away"
        )
        former = numbers.read_text().split()[-1]
        with served(unit_port):
            wait_until(lambda: int(numbers.read_text().split()[-1]) > int(former), "it goes on")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
            assert process.stdout
            assert len(process.stdout.read().splitlines()) == 1  # of the first key
    found = [int(each) for each in numbers.read_text().split()]
    assert found == sorted(set(found))
    assert (tmp_path / "key").read_text().strip() not in (tmp_path / "log").read_text()


def test_a_command_that_hangs_does_not_keep_it_from_ending(unit_port: str, tmp_path: Path) -> None:
    with served(unit_port) as service:
        words = ("--file", "key", "--run", "sleep 60")
        with rotating(tmp_path, service.port("gate"), *words) as process:
            wait_until((tmp_path / "key").exists, "the key is there")
            process.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            assert process.wait(PATIENCE) == 0
            assert time.monotonic() - begun < 30


def test_it_is_ready_with_the_first_key(unit_port: str, tmp_path: Path) -> None:
    with served(unit_port) as service, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE)
        (tmp_path / "key").mkdir()  # where no file can be
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with rotating(tmp_path, service.port("gate"), "--file", "key", **environment) as process:
            wait_until(lambda: "this is tried again" in (tmp_path / "log").read_text(), "it says what is wrong")
            (tmp_path / "key").rmdir()
            assert systemd.recv(100) == b"READY=1"
            assert len((tmp_path / "key").read_bytes()) == 32
            process.send_signal(signal.SIGINT)
            assert systemd.recv(100) == b"STOPPING=1"
            assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("office",),
        ("office", "--file", "a", "--wireguard", "wg0", PEER),
        ("a name", "--file", "a"),
        ("office", "--wireguard", "wg0", "no-key"),
        ("office", "--wireguard", "wg0", PEER, "--hex"),
        ("office", "--wireguard", "wg0", PEER, "--run", "true"),
        ("office", "--file", "a", "--pid-file", "pid"),
        ("office", "--file", "a", "--config", "conf"),
        ("office", "--file", "a", "--run", ""),
        ("office", "--file", "a", "--run", "'"),
        ("office", "--file", "a", "--every", "0s"),
        ("office", "--file", "a", "--every", "120"),
        ("office", "--file", "a", "--every", "25h"),
        ("office", "--file", "a", "--number", "-1"),
        ("office", "--mosquitto", "psk", "site1"),
        ("office", "--mosquitto", "psk", "site1", "--pid-file", "a", "--run", "true"),
        ("office", "--mosquitto", "psk", "a:b", "--run", "true"),
        ("office", "--swanctl", "tcp://127.0.0.1:4502", "gw"),
        ("office", "--swanctl", "unix:///run/charon.vici", "gw {"),
    ],
)
def test_usage(words: tuple[str, ...], tmp_path: Path) -> None:
    finished = run_ndks("psk", *words, "--json", timeout=PATIENCE, cwd=tmp_path)
    assert finished.returncode == 2
    assert json.loads(finished.stdout)["error"]["code"] == "USAGE"
    assert list(tmp_path.iterdir()) == []


def test_without_a_service(tmp_path: Path) -> None:
    words = (
        "psk",
        "office",
        "--unit",
        f"unix:{tmp_path}/gate",
        "--file",
        tmp_path / "key",
        "--once",
        "--timeout",
        0.5,
        "--json",
    )
    finished = run_ndks(*words, timeout=PATIENCE)
    assert (finished.returncode, json.loads(finished.stdout)["error"]["code"]) == (3, "UNIT_AWAY")
    assert list(tmp_path.iterdir()) == []
