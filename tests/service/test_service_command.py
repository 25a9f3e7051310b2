# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The command `ndks service`, and the other commands beside it."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.answers import complaints
from support.emulate_process import PATIENCE, emulated
from support.forks import run_ndks
from support.public_network import public_network
from support.serve_process import ServeProcess, served

import ndks
from ndks.cli import fields, main
from ndks.cli import services as services_here
from ndks.driver import unit as driver
from ndks.line.services import SOCKETS

LETTER = b"Meet me at noon."


@pytest.fixture
def alice(tmp_path: Path) -> str:
    port = f"emulator:{tmp_path / 'alice'}"
    with ndks.open(port, create=True) as unit:
        unit.bind(unit.provision(public_network(), 1))
    return port


@pytest.fixture
def service(alice: str) -> Iterator[ServeProcess]:
    with served(alice) as running:
        yield running


def run(*arguments: object, status: int | None = 0) -> Any:
    """Run a command with --json and return its answer; `status` None is any."""
    ended = run_ndks(*arguments, "--json", timeout=PATIENCE)
    assert status in (None, ended.returncode), ended.stderr
    return json.loads(ended.stdout)


def check(form: str, answer: Any) -> None:
    assert answer.pop("schema") == 1
    assert list(complaints(answer, fields.fields_of(fields.ANSWERS[form]))) == []


def test_its_answers(service: ServeProcess, alice: str) -> None:
    check("service", dict(service.said))
    status = run("service", "status")
    (found,) = [each for each in status["services"] if each["serial_number"] == service.said["serial_number"]]
    assert found["present"]
    assert found["status"]["network"] == "ndks-test"
    assert {each["scope"] for each in found["sockets"] if each["may_use"]} == {"keys", "gate", "agent", "admin"}
    check("service status", status)
    check("service release", run("service", "release", 1, "--unit", alice))


def test_commands_use_the_port_or_the_service_by_themselves(alice: str, tmp_path: Path) -> None:
    letter = tmp_path / "letter"
    letter.write_bytes(LETTER)
    assert run("key", "--unit", alice)["index"] == 1
    with served(alice):
        assert run("key", "--unit", alice)["index"] == 2
        assert run("stream", "--unit", alice, "--bits", 80_000, "-o", tmp_path / "stream")["index"] == 3
        assert run("info", "--unit", alice)["port"].startswith("unix:")
        for cipher in ("vernam", "aes"):
            for mode in ("a", "b"):
                run(
                    "encrypt",
                    letter,
                    "-o",
                    tmp_path / f"{cipher}{mode}",
                    "--cipher",
                    cipher,
                    "--mode",
                    mode,
                    "--unit",
                    alice,
                )
        run("trust", 2, "00" * 16, "--unit", alice)
        check("eject", run("eject", "--unit", alice))
    assert run("key", "--unit", alice)["index"] == 4


def test_several_commands_at_the_same_time(alice: str) -> None:
    with served(alice):
        command = [sys.executable, "-m", "ndks", "key", "--unit", alice, "--json"]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(6)]
        indices = sorted(json.loads(process.communicate(timeout=PATIENCE)[0])["index"] for process in processes)
    assert indices == [1, 2, 3, 4, 5, 6]


def test_a_serial_number_and_a_pty(tmp_path: Path) -> None:
    with emulated(tmp_path / "unit") as unit:
        with ndks.open(unit.port) as opened:
            opened.bind(opened.provision(public_network(), 1))
            serial_number = opened.hello.serial_number
        with served(unit.port) as service:
            for name in (serial_number, serial_number.lower(), unit.port, service.port("keys")):
                with ndks.open(name) as opened:
                    assert opened.port.startswith("unix:")
                    assert opened.is_bound_here
            (found,) = [each for each in run("list")["units"] if each["port"] == unit.port]
            assert found["hello"]["flags"] == ["held by a service"]
            doctor = run("doctor", status=None)  # the developer may have units of their own
            assert not [each for each in doctor["problems"] if "held" in each]


def test_what_needs_the_port_says_so(service: ServeProcess, alice: str) -> None:
    for command in (["zeroize", "--yes"], ["bind"]):
        error = run(*command, "--unit", alice, status=4)["error"]
        assert error["code"] == "DENIED"
        assert "ndks service release" in error["advice"]


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        (["--unit", "unix:/nowhere"], 2, "USAGE"),
        (["--unit", "/dev/nowhere"], 3, "NO_UNIT"),
        (["release", "0", "--unit", "/dev/nowhere"], 2, "USAGE"),
        (["release", "3601", "--unit", "/dev/nowhere"], 2, "USAGE"),
    ],
)
def test_what_is_refused(options: list[str], status: int, code: str) -> None:
    assert run("service", *options, status=status)["error"]["code"] == code


def test_a_blank_unit_is_refused(tmp_path: Path) -> None:
    with ndks.open(f"emulator:{tmp_path / 'blank'}", create=True):
        pass
    assert run("service", "--unit", f"emulator:{tmp_path / 'blank'}", status=4)["error"]["code"] == "BLANK"


def test_release_needs_a_service(alice: str) -> None:
    assert run("service", "release", "--unit", alice, status=2)["error"]["code"] == "USAGE"


def test_no_service_at_a_path(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(ndks.NoUnit, match="no service"):
            ndks.open(f"unix:{path}")
    with pytest.raises(ndks.UsageError):
        ndks.open("unix:")
    with pytest.raises(ndks.UsageError, match="long"):
        ndks.open(f"unix:/{'x' * 200}")


def test_a_killed_service_leaves_sockets_that_do_no_harm(alice: str) -> None:
    with served(alice) as service:
        service.end(signal.SIGKILL)
    assert service.path("keys").exists()
    assert run("key", "--unit", alice)["index"] == 1
    found = run("service", "status")["services"]
    assert {each["error"]["code"] for each in found if each["serial_number"] == service.said["serial_number"]} == {
        "NO_UNIT"
    }
    with served(alice) as service:
        assert run("key", "--unit", alice)["index"] == 2


def test_the_log_tells_who_connects_and_no_key(service: ServeProcess, alice: str) -> None:
    key = run("key", "--unit", alice)["key"]
    with ndks.open(service.port("gate")) as gate:
        secrets = [gate.message_keys().aes_key.hex(), key]
    log = service.log.read_text()
    assert re.search(rf"connected: gate, process {os.getpid()} of user {os.getuid()}\n", log)
    assert not [secret for secret in secrets if secret in log]


def test_sockets_are_for_this_user_alone(service: ServeProcess) -> None:
    directory = service.path("keys").parent
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {service.path(scope).stat().st_mode & 0o777 for scope in ("keys", "gate", "agent", "admin")} == {0o600}


def test_no_place_for_sockets(alice: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != SOCKETS}
    if os.geteuid() == 0:
        pytest.skip("root has /run/ndks")
    command = [sys.executable, "-m", "ndks", "service", "--unit", alice]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, "XDG_RUNTIME_DIR" in ended.stderr) == (2, True)


def test_a_port_that_is_busy_beside_sockets_of_a_killed_service(tmp_path: Path) -> None:
    with emulated(tmp_path / "unit") as unit:
        with ndks.open(unit.port) as opened:
            opened.bind(opened.provision(public_network(), 1))
        with served(unit.port) as service:
            service.end(signal.SIGKILL)
        busy = ndks.open(unit.port)
        done = threading.Timer(0.5, busy.close)
        done.start()
        with ndks.open(unit.port) as opened:  # waits for the port
            assert opened.port == unit.port
        done.join()


def test_a_port_for_which_this_user_has_no_permission(
    service: ServeProcess, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_port = driver.open_port

    def refuse(port: str, *rest: Any, **options: Any) -> Any:
        if port == alice:
            raise ndks.PortPermission("you may not open it", "ask")
        return open_port(port, *rest, **options)

    monkeypatch.setattr(driver, "open_port", refuse)
    with ndks.open(alice) as unit:
        assert unit.port == service.port("admin")
    service.end(signal.SIGKILL)
    with pytest.raises(ndks.PortPermission):
        ndks.open(alice)


def test_status_asks_the_sockets_of_each_directory(service: ServeProcess, alice: str, tmp_path: Path) -> None:
    """A directory of the system and one of the user may have the same unit: a killed service has left one."""
    directory = service.path("keys").parent
    other = tmp_path / directory.name
    other.mkdir()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(other / "keys"))
    assert services_here._service_at(directory)["present"]
    assert services_here._service_at(other)["error"]["code"] == "NO_UNIT"


@pytest.mark.parametrize("named", ["option", "environment"])
def test_a_service_of_a_service(service: ServeProcess, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if named == "environment":
        monkeypatch.setenv("NDKS_UNIT", service.port("keys"))
    options = ["--unit", service.port("keys")] if named == "option" else []
    assert run("service", *options, status=2)["error"]["code"] == "USAGE"


def test_a_unit_that_has_a_service_tells_of_it(service: ServeProcess, alice: str) -> None:
    error = run("service", "--unit", alice, status=4)["error"]
    assert (error["code"], "ndks service status" in error["advice"]) == ("BUSY", True)


def test_it_needs_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert main(["service", "--unit", "emulator:alice"]) == 2
