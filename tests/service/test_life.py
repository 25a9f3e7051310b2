# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The life of `ndks service` as a process: killed, unplugged, hanging, stopped; clients that are killed."""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE, EmulateProcess, emulated, wait_until
from support.public_network import public_network
from support.serve_process import ServeProcess, served

import ndks
from ndks.service.asking import WATCHED

from .crashing import Crashing

ROUNDS = 4


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[EmulateProcess]:
    """A running emulated unit of the public network, with a link that stays and a control socket."""
    options = ["--link", str(tmp_path / "port"), "--control", str(tmp_path / "control")]
    with emulated(tmp_path / "unit", *options) as running:
        with ndks.open(running.port) as opened:
            opened.bind(opened.provision(public_network(), 1))
        yield running


@pytest.fixture
def control(tmp_path: Path, unit: EmulateProcess) -> Callable[[str], str]:
    """Return a function that sends a command to the control socket of the unit."""

    def say(command: str) -> str:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(tmp_path / "control"))
            line.sendall(command.encode() + b"\n")
            answer = line.makefile().readline()
        assert answer.startswith("ok"), answer
        return answer

    return say


@pytest.fixture
def service(unit: EmulateProcess) -> Iterator[ServeProcess]:
    with served(unit.port, "--timeout", "2") as running:
        yield running


def test_sigterm_finishes_and_keeps_the_numbers(unit: EmulateProcess) -> None:
    with served(unit.port) as service, ndks.open(service.port("keys")) as client:
        first = client.seal(b"x")
        assert service.end() == 0
        assert not service.path("keys").exists()
        with pytest.raises(ndks.UnitRemoved):
            client.status()
    with ndks.open(unit.port) as direct:
        assert direct.status().message_counter == 1
        assert first != direct.seal(b"x")


def test_unplugged_and_plugged_in(service: ServeProcess, control: Callable[[str], str]) -> None:
    with ndks.open(service.port("keys")) as client:
        present = client.watch()
        assert present.present
        key = client.next_key(256)
        control("cable out")
        gone = client.watch(present.serial)
        assert (gone.present, gone.serial) == (False, present.serial + 1)
        began = time.monotonic()
        with pytest.raises(ndks.NoUnit):
            client.status()
        assert time.monotonic() - began > 0.5
        control("cable in")
        back = client.watch(gone.serial)
        assert back.present
        assert client.key(key.index, 256) == key
        assert client.next_index() == (0, key.index + 1)


def test_a_request_waits_for_a_unit_that_comes_back_at_once(
    service: ServeProcess, control: Callable[[str], str]
) -> None:
    with ndks.open(service.port("keys")) as client:
        for _ in range(ROUNDS):
            control("line drop")
            assert client.status().network == "ndks-test"


def test_a_unit_that_hangs(service: ServeProcess, unit: EmulateProcess) -> None:
    with ndks.open(service.port("keys"), PATIENCE) as client:
        unit.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(ndks.NoUnit):
                client.status()
        finally:
            unit.process.send_signal(signal.SIGCONT)
        wait_until(lambda: client.watch().present, "the unit goes on")
        assert client.next_key(64).index == 1


def test_a_message_ends_with_the_unit(service: ServeProcess, control: Callable[[str], str]) -> None:
    with ndks.open(service.port("keys")) as client:
        source = _Endless(lambda: control("power off"))
        with pytest.raises(ndks.NdksError) as ended:
            client.encrypt(source, _Nowhere(), cipher="vernam")
        assert ended.value.code in ("CONFLICT", "NO_UNIT")
        control("power on")
        wait_until(lambda: client.watch().present, "the unit is back")
        assert client.seal(b"another")


class _Endless:
    """Data without an end; something happens after a while."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens = happens
        self._count = 0

    def read(self, size: int = -1, /) -> bytes:
        self._count += 1
        if self._count == 10:
            self._happens()
        return bytes(size)


class _Nowhere:
    def write(self, data: bytes, /) -> int:
        return len(data)

    def flush(self) -> None: ...


def test_the_port_is_released(service: ServeProcess, unit: EmulateProcess) -> None:
    with ndks.open(service.port("admin")) as admin:
        admin.release(5)  # longer than a busy machine takes to open it
        with ndks.open(unit.port) as direct:  # the port itself
            assert direct.port == unit.port
            direct.next_key(64)
        wait_until(lambda: admin.watch().present, "the service has the port again")
        assert admin.next_index() == (0, 2)


def test_another_service_is_refused(service: ServeProcess, unit: EmulateProcess) -> None:
    command = [sys.executable, "-m", "ndks", "service", "--json", "--unit", unit.port]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, json.loads(ended.stdout)["error"]["code"]) == (4, "BUSY")


def test_killed_services_and_clients_and_pulled_cables(
    unit: EmulateProcess, control: Callable[[str], str], tmp_path: Path
) -> None:
    with Crashing(unit.port, control, tmp_path) as crashing:
        for what in ("service", "client", "cable") * ROUNDS:
            crashing.crash(what)
    assert min(crashing.check().values()) > ROUNDS


def test_it_ends_at_once_beside_a_client_that_watches(unit: EmulateProcess) -> None:
    with served(unit.port) as service, ndks.open(service.port("keys")) as client, ndks.open(client.port) as other:
        serial, is_asked = client.watch().serial, threading.Event()
        transport = client._link._transport
        write = transport.write
        transport.write = lambda data: (write(data), is_asked.set())  # pyright: ignore
        watching = threading.Thread(target=client.watch, args=(serial,))
        watching.start()
        assert is_asked.wait(PATIENCE)
        other.status()  # so the service has taken what was asked before
        began = time.monotonic()
        assert service.end() == 0
        assert time.monotonic() - began < WATCHED - 1
        watching.join(PATIENCE)


def test_it_ends_while_a_port_is_silent() -> None:
    master, line = pty.openpty()
    command = [sys.executable, "-m", "ndks", "service", "--unit", os.ttyname(line)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: select.select([master], [], [], 0)[0], "it greets the unit")
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            os.close(master)
            os.close(line)
